"""Columns that come, go or change their type are told when a log is delivered again, and stop nothing."""

from __future__ import annotations

from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.builds.events import INPUT_SCHEMA, build_events
from hier_dag.ingest.connection import connect
from hier_dag.pipeline.requests import events_request
from hier_dag.pipeline.workshop import Workshop
from hier_dag.registry import Registry
from hier_dag.store import ArtifactStore
from tests.databases import registry_url
from tests.ingest.helpers import platform

BEFORE = {"user_id": ["a", "b"], "item_id": ["x", "y"], "app": ["ios", "web"], "price": pa.array([1, 2])}


@pytest.fixture
def deliver(tmp_path):
    """Writes a log, ingests it, and gives the result of the check `input_schema`."""
    workshop = Workshop(ArtifactStore(tmp_path / "store"), Registry(registry_url(tmp_path / "registry.db")))
    config = platform(tmp_path, {"path": "log.parquet"})
    engine = partial(connect, tmp_path / "scratch", threads=1)

    def ingest(**columns):
        pq.write_table(pa.table(columns), tmp_path / "log.parquet")
        outcome = workshop.make(
            events_request(config, "shop"),
            lambda request, staged: build_events(config, "shop", request, staged, workshop, engine),
            run_id="test",
        )
        return next(c for c in outcome.checks if c.name == INPUT_SCHEMA)

    return ingest


def test_the_first_delivery_and_an_equal_one_hold(deliver):
    assert deliver(**BEFORE).passed
    assert deliver(**{**BEFORE, "item_id": ["x", "z"]}).passed


def test_new_lost_and_retyped_columns_are_named_with_both_types(deliver):
    deliver(**BEFORE)
    changed = {k: v for k, v in BEFORE.items() if k != "app"}
    check = deliver(**{**changed, "price": ["1", "2"], "city": ["b", "c"]})
    assert not check.passed
    assert {(c["column"], c["change"], c["before"], c["now"]) for c in check.facts["changes"]} == {
        ("app", "lost", "string", None),
        ("price", "retyped", "int64", "string"),
        ("city", "new", None, "string"),
    }
    assert "log.parquet: column price is retyped (int64 → string)" in check.facts["message"]
    assert check.facts["fix"]
