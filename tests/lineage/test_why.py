"""`why`: a published vector leads back to artifacts, raw files and rows that really carry the id."""

import gzip
import json
import platform

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.environment import environment_digest
from hier_dag.errors import StoreError, UsageError
from hier_dag.lineage.why import why
from hier_dag.publish.reader import VersionRecord
from hier_dag.registry import Registry
from hier_dag.store import ArtifactStore, Manifest
from tests.databases import registry_url


@pytest.fixture
def state(tmp_path):
    """Three artifacts by hand: one file of events, a graph of it, a published set of that."""
    store = ArtifactStore(tmp_path / "store")
    registry = Registry(registry_url(tmp_path / "r.db"))

    def make(kind, partition, parents, write, **fields):
        with store.stage(kind) as staged:
            write(staged)
            manifest = Manifest(
                kind=kind, partition=partition, parents=parents, request_key="0" * 64, code_version="1",
                params={"k": 1}, environment=environment_digest(), **fields,
            )  # fmt: skip
            artifact = store.commit(staged, manifest)
        registry.record(artifact, [], run_id=f"run of {kind}", seconds=1.0)
        return artifact.digest

    def events(folder):
        (folder / "events").mkdir()
        table = {"user_id": ["u1", "u2", "u1"], "item_id": ["i1", "i1", "i2"], "row": [1, 2, 5]}
        file = pa.array([1, 1, 1], pa.int32())
        pq.write_table(pa.table({**table, "file": file}), folder / "events" / "part-0.parquet")
        lost = {"rows_in": 6, "rows_out": 3, "quarantined": {"null_item": 2}, "deduplicated": 1}
        files = [{"location": n, "sha256": n * 8, **lost} for n in ("old.csv", "new.csv")]
        (folder / "ledger.json").write_text(json.dumps({"files": files}))

    def published(folder):
        for key, ids in (("user_id", ["u1", "both"]), ("item_id", ["i2", "both"])):
            vectors = pa.FixedSizeListArray.from_arrays(pa.array([3.0, 4.0, 0.0, 1.0], pa.float32()), 2)
            origin = ["trained", "fallback"]
            table = pa.table({key: ids, "vector": vectors, "origin": origin})
            pq.write_table(table, folder / f"{key.removesuffix('_id')}s.parquet")

    raw = make("raw/events", "shop", {}, events, inputs=[{"location": "new.csv", "sha256": "n", "bytes": 1}])
    graph = make("kg/graph", None, {"events:shop": raw}, lambda f: (f / "g").write_text("g"))
    top = make("publish/embeddings", "cafe", {"graph": graph}, published, seeds=[7])
    live = VersionRecord("cafe", "live", 3, top, "publish", "same", None, "me", "", "")
    return store, registry, live, [top, graph, raw]


def test_a_user_leads_to_every_artifact_and_to_the_rows(state):
    store, registry, live, digests = state
    found = why(store, registry, live, "u1")
    assert (found.role, found.origin, found.norm, found.version) == ("user", "trained", 5.0, 3)
    assert [a["digest"] for a in found.artifacts] == digests
    assert found.artifacts[0]["seeds"] == [7]
    assert found.artifacts[1]["run_id"] == "run of kg/graph"
    assert found.artifacts[1]["who"] == found.runs["run of kg/graph"]["who"] != ""
    (environment,) = found.environments.values()
    assert environment["python"] == platform.python_version()
    assert environment["versions"]["numpy"] == np.__version__
    assert found.raw == [
        {
            "feeds": "events", "domain": "shop", "file": "new.csv", "sha256": "new.csv" * 8,
            "rows": 2, "row_numbers": [1, 5],
            "of_the_file": {
                "rows_in": 6, "rows_out": 3, "quarantined": {"null_item": 2}, "deduplicated": 1,
            },
        }
    ]  # fmt: skip


def test_an_id_of_both_roles_is_told_apart(state):
    store, registry, live, _ = state
    both = why(store, registry, live, "both")
    assert (both.role, both.namesake) == ("user", "item")
    item = why(store, registry, live, "both", "item")
    assert (item.role, item.namesake, item.norm) == ("item", None, 1.0)
    with pytest.raises(UsageError, match="no item"):
        why(store, registry, live, "u1", "item")


def test_an_item_leads_to_its_rows(state):
    store, registry, live, _ = state
    assert why(store, registry, live, "i2").raw[0]["row_numbers"] == [5]


def test_an_unknown_id_is_said_to_be_neither(state):
    store, registry, live, _ = state
    with pytest.raises(UsageError, match="neither a user nor an item"):
        why(store, registry, live, "nobody")


def test_an_unrecorded_artifact_is_not_explained_away(state, tmp_path):
    store, _, live, _ = state
    with pytest.raises(StoreError, match="does not know artifact"):
        why(store, Registry(registry_url(tmp_path / "other.db")), live, "u1")


def test_the_rows_named_are_the_rows_of_the_raw_file(tmp_path):
    """End to end from a gzipped CSV: ingest numbers the rows as the file has them."""
    from datetime import UTC, datetime

    from hier_dag.config import PlatformConfig
    from hier_dag.ingest.connection import connect
    from hier_dag.ingest.events import ingest_domain
    from hier_dag.ingest.fingerprint import fingerprint

    lines = ["user_id,item_id", "a,1", ",2", "b,3", "a,4"]
    (tmp_path / "shop.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    source = {"role": "source", "sources": {"path": "shop.csv.gz"}, "max_quarantined": 1.0}
    target = {"role": "target", "sources": {"path": "shop.csv.gz"}}
    config = PlatformConfig.model_validate(
        {"platform": "p", "data": str(tmp_path), "domains": {"shop": source, "cafe": target}}
    )
    out = tmp_path / "out"
    out.mkdir()
    with connect(tmp_path / "scratch") as con:
        inputs = fingerprint(config, config.domains["shop"].sources, "shop")
        ingest_domain(config, "shop", inputs, out, con=con, as_of=datetime(2026, 1, 1, tzinfo=UTC))
    table = pq.read_table(next((out / "events").iterdir())).to_pylist()
    for event in table:
        assert lines[event["row"]] == f"{event['user_id']},{event['item_id']}"
    assert {e["row"] for e in table} == {1, 3, 4}
