"""A source whose schema drifted stops the run before the graph is built, and the message says where."""

import importlib
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def drift():
    """The benchmark, which knows how to change a log of any format."""
    folder = str(ROOT / "benchmarks" / "faults")
    sys.path.insert(0, folder)
    try:
        yield importlib.import_module("schema_drift")
    finally:
        sys.path.remove(folder)


def change(drift, platform, domain, kind):
    """Changes the domain's log; returns the file and the column that must be named."""
    path, source = drift.place_of(platform.config, domain)
    rows, column = drift.changed(drift.read_table(path, source.table), kind, source)
    drift.write_table(rows, path, source.table)
    return path, column


@pytest.mark.parametrize(
    ("domain", "kind"),
    [
        ("food_delivery", "retyped column"),
        ("marketplace", "renamed column"),
        ("table_booking", "renamed value"),
    ],
)
def test_drift_stops_before_any_training(fresh, drift, domain, kind):
    path, column = change(drift, fresh, domain, kind)
    done = fresh.run()
    failed = done.pop(f"raw/events[{domain}]")
    assert failed.outcome == "failed"
    for words in (f"domain {domain}", path.name, f"column {column}", "For example row", "Fix:"):
        assert words in failed.message
    raw = {d.outcome for title, d in done.items() if title.startswith("raw/")}
    below = {d.outcome for title, d in done.items() if not title.startswith("raw/")}
    assert (raw, below) == ({"made"}, {"blocked"})
    assert not fresh.live()


def test_one_new_value_stops_where_it_is_declared_to(fresh, drift):
    change(drift, fresh, "grocery", "one new value")
    strict = yaml.safe_load(fresh.domains.read_text(encoding="utf-8"))
    strict["domains"]["grocery"]["max_quarantined_by_reason"] = {"unknown_behavior": 0}
    fresh.domains.write_text(yaml.safe_dump(strict), encoding="utf-8")
    failed = fresh.run()["raw/events[grocery]"]
    assert failed.outcome == "failed"
    assert "'viewed' (1)" in failed.message
    assert "nearest is 'view'" in failed.message
