"""What a lineage server is told of a materialisation: runs, what they read and wrote, columns, versions."""

import json
import socket
import time
from types import SimpleNamespace

import dagster as dg
import pytest
import yaml

pytest.importorskip("dagster_openlineage", reason="needs dagster-openlineage: pip install -e '.[dev]'")

EVENTS, GRAPH, PUBLISHED = "raw/events", "kg/graph", "publish/embeddings"


@pytest.fixture
def lineage(own, tmp_path, monkeypatch):
    """Materialises assets of the copy on an instance that tells OpenLineage's file transport of it."""
    told = tmp_path / "openlineage.jsonl"
    _transport(tmp_path, monkeypatch, {"type": "file", "log_file_path": str(told), "append": True})
    instance = _instance(tmp_path)

    def materialize(kind, partition=None):
        job = own.definitions().resolve_implicit_global_asset_job_def()
        run = job.execute_in_process(
            instance=instance,
            partition_key=partition,
            asset_selection=[dg.AssetKey(kind.split("/"))],
            raise_on_error=False,
        )
        lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
        events = [json.loads(line) for line in lines]
        return run, [e for e in events if e["run"]["runId"] == run.run_id]

    return SimpleNamespace(materialize=materialize, platform=own, instance=instance)


def _transport(folder, monkeypatch, transport):
    config = folder / "openlineage.yml"
    config.write_text(yaml.safe_dump({"transport": transport}), encoding="utf-8")
    monkeypatch.setenv("OPENLINEAGE_CONFIG", str(config))
    monkeypatch.delenv("OPENLINEAGE_URL", raising=False)


def _instance(folder):
    """A Dagster instance as deploy/dagster.yaml would set it up, on SQLite."""
    log = {
        "module": "resources.openlineage",
        "class": "OpenLineageEventLog",
        "config": {
            "namespace": "hier",
            "wrapped": {
                "module": "dagster._core.storage.event_log",
                "class": "SqliteEventLogStorage",
                "config": {"base_dir": str(folder / "instance" / "events")},
            },
        },
    }
    (folder / "instance").mkdir()
    (folder / "instance" / "dagster.yaml").write_text(yaml.safe_dump({"event_log_storage": log}))
    return dg.DagsterInstance.from_config(str(folder / "instance"))


def _written(events, asset):
    """The event that tells that an asset was written, and what it says of the asset."""
    (event,) = [
        e for e in events if e["eventType"] == "COMPLETE" and [o["name"] for o in e["outputs"]] == [asset]
    ]
    return event, event["outputs"][0]


def _columns(dataset):
    return {field["name"] for field in dataset["facets"]["schema"]["fields"]}


def test_a_graph_is_told_with_what_it_was_read_from_its_columns_and_its_digest(lineage):
    run, events = lineage.materialize(GRAPH)
    assert run.success
    assert "START" in {e["eventType"] for e in events}
    event, graph = _written(events, GRAPH)
    assert (event["job"]["namespace"], event["job"]["name"]) == ("hier", GRAPH)
    digest = lineage.platform.latest(GRAPH).digest
    assert graph["facets"]["version"]["datasetVersion"] == digest
    read = {i["name"]: i for i in event["inputs"]}
    assert set(read) == {EVENTS, "raw/links"}
    links = lineage.platform.latest("raw/links").digest
    assert read["raw/links"]["facets"]["version"]["datasetVersion"] == links
    assert {"users.user_id", "items.item_id", "entities.name", "splits.split"} <= _columns(graph)
    assert all(f["type"] and f["description"] for f in graph["facets"]["schema"]["fields"])
    came = graph["facets"]["columnLineage"]["fields"]
    assert set(came) == _columns(graph)
    assert came["users.user_id"]["inputFields"] == [
        {"namespace": "hier", "name": EVENTS, "field": "user_id", "transformations": []}
    ]
    assert {f["name"] for column in came.values() for f in column["inputFields"]} == set(read)
    counted = graph["outputFacets"]["outputStatistics"]["rowCount"]
    summary = lineage.platform.latest(GRAPH).manifest.summary
    assert counted == summary["users"] + summary["items"] + summary["entities"]
    (code,) = [t for t in event["run"]["facets"]["tags"]["tags"] if t["key"] == "code_version"]
    assert code["value"] == lineage.platform.latest(GRAPH).manifest.code_version


def test_events_lead_to_the_raw_files_by_their_digest_and_published_vectors_to_model_and_graph(lineage):
    run, events = lineage.materialize(EVENTS, "grocery")
    assert run.success
    event, _ = _written(events, EVENTS)
    manifest = lineage.platform.latest(EVENTS, "grocery").manifest
    files = {f["location"]: f["sha256"] for f in manifest.inputs}
    assert {i["name"]: i["facets"]["version"]["datasetVersion"] for i in event["inputs"]} == files
    tags = {t["key"]: t["value"] for t in event["run"]["facets"]["tags"]["tags"]}
    assert tags["partition"] == "grocery"

    run, events = lineage.materialize(PUBLISHED, "grocery")
    assert run.success
    event, published = _written(events, PUBLISHED)
    versions = {i["name"]: i["facets"]["version"]["datasetVersion"] for i in event["inputs"]}
    parents = lineage.platform.latest(PUBLISHED, "grocery").manifest.parents
    assert versions == {
        "finetune/model": parents["model"], GRAPH: parents["graph"], "pretrain/encoder": parents["encoder"]
    }  # fmt: skip
    came = published["facets"]["columnLineage"]["fields"]
    assert set(came) == _columns(published)
    assert {f["field"] for f in came["users.vector"]["inputFields"]} == {"vectors.user_vectors"}
    assert {f["name"] for f in came["items.name"]["inputFields"]} == {GRAPH}


def test_checks_are_told_as_assertions_on_the_asset(lineage):
    _, events = lineage.materialize(GRAPH)
    asked = {
        a["assertion"]: a["success"]
        for e in events
        for i in e.get("inputs", [])
        for a in i.get("inputFacets", {}).get("dataQualityAssertions", {}).get("assertions", [])
    }
    assert asked["no_leakage"] is True
    assert {"contract", "integrity", "shapes", "structure"} <= set(asked)


def test_a_refused_stage_is_told_as_failed(lineage):
    (lineage.platform.logs / "grocery.jsonl").write_text("{}\n", encoding="utf-8")
    run, events = lineage.materialize(EVENTS, "grocery")
    assert not run.success
    failed = [e for e in events if e["eventType"] == "FAIL"]
    assert [o["name"] for e in failed for o in e["outputs"]] == [EVENTS]
    assert not [e for e in events if e["eventType"] == "COMPLETE" and e["outputs"]]


def test_a_lineage_server_that_is_down_neither_fails_a_run_nor_holds_it_up(own, tmp_path, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        monkeypatch.delenv("OPENLINEAGE_CONFIG", raising=False)
        monkeypatch.setenv("OPENLINEAGE_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        instance = _instance(tmp_path)
        job = own.definitions().resolve_implicit_global_asset_job_def()
        began = time.monotonic()
        run = job.execute_in_process(
            instance=instance, partition_key="grocery", asset_selection=[dg.AssetKey(["raw", "events"])]
        )
        assert run.success
        assert time.monotonic() - began < 30


def test_the_event_log_below_keeps_its_say_on_pools(lineage):
    below = lineage.instance.event_log_storage._wrapped
    assert lineage.instance.event_log_storage.supports_global_concurrency_limits == (
        below.supports_global_concurrency_limits
    )
    assert lineage.instance.event_log_storage.is_run_sharded is True
