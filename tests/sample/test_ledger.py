"""Ingest finds exactly the faults that the sample planted."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hier_dag.config import load_config
from hier_dag.ingest.connection import connect
from hier_dag.ingest.events import ingest_domain
from hier_dag.ingest.fingerprint import fingerprint
from hier_dag.sample import SampleParams, generate
from hier_dag.sample.services import SERVICES

DOMAINS = Path(__file__).parents[2] / "examples" / "sample" / "domains.yaml"
REASON_OF = {
    "null_user_id": "null_user",
    "empty_user_id": "null_user",
    "null_item_id": "null_item",
    "empty_item_id": "null_item",
    "unknown_behavior": "unknown_behavior",
    "missing_time": "bad_time",
    "unparseable_time": "bad_time",
    "epoch_zero_time": "early_time",
    "far_future_time": "future_time",
    "non_positive_weight": "bad_weight",
    "nan_weight": "bad_weight",
}

LOGGED = [service.name for service in SERVICES if service.log is not None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("planted") / "sample"
    generate(folder, SampleParams(users=2000, events=30_000, items=600, dirty=0.03))
    return folder


@pytest.mark.parametrize("domain", LOGGED)
def test_the_ledger_of_a_domain_is_what_was_planted(folder, domain, tmp_path, monkeypatch):
    monkeypatch.setenv("HIER_DATA", str(folder))
    config = load_config(DOMAINS)
    inputs = fingerprint(config, config.domains[domain].sources, domain)
    with connect(tmp_path / "scratch", threads=1) as con:
        as_of = datetime(2026, 7, 1, tzinfo=UTC)
        ledger = ingest_domain(config, domain, inputs, tmp_path / "out", con=con, as_of=as_of)
    files = json.loads((folder / "truth" / "dirty.json").read_text())["files"]
    planted = {file: c for file, c in files.items() if c["domain"] == domain}
    for entry, counted in zip(ledger.files, planted.values(), strict=True):
        expected: Counter[str] = Counter()
        for kind, rows in counted["faults"].items():
            expected["duplicate" if kind == "duplicate" else REASON_OF[kind]] += rows
        assert entry.rows_in == counted["rows"]
        assert entry.rows_out == counted["clean"]
        assert entry.deduplicated == expected.pop("duplicate")
        assert dict(entry.quarantined) == dict(expected)
