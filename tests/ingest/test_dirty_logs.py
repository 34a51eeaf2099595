"""Ten classes of dirt, one row in a hundred each: all of it is caught for its reason, and nothing else is."""

import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = 24_000


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What the benchmark measures, on few rows."""
    folder = str(ROOT / "benchmarks" / "faults")
    sys.path.insert(0, folder)
    try:
        return importlib.import_module("dirty_logs").measure(
            tmp_path_factory.mktemp("dirty") / "logs", ROWS, 0
        )
    finally:
        sys.path.remove(folder)


def test_every_bad_row_is_refused_for_its_reason_and_column_and_no_other_row_is(found):
    assert len(found["classes"]) == 10
    for name, figures in found["classes"].items():
        assert figures["rows"] == ROWS // 100, name
        assert (figures["recall"], figures["precision"]) == (1.0, 1.0), name


def test_rows_are_conserved_to_the_row(found):
    bad = ROWS * 9 // 100
    assert found["conserved"]
    assert found["rows"] == {
        "in": ROWS, "out": ROWS - bad - ROWS // 100, "quarantined": bad, "deduplicated": ROWS // 100,
    }  # fmt: skip


def test_sound_rows_survive_unchanged(found):
    assert found["clean"] == {"rows": ROWS * 9 // 10, "lost_or_changed": 0, "made_up": 0}


def test_files_that_are_bad_as_a_whole_are_refused(found):
    assert "there is no column 'action'" in found["files"]["missing"]
    assert "does not name: 'note'" in found["files"]["extra"]
    assert found["files"]["extra_changes_nothing_where_allowed"]
