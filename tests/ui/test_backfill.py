"""Backfills from the UI against a live daemon: what is whole goes through, what is broken stops."""

import json

import dagster as dg
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.ui]

ALL = ("raw/events", "raw/links", "kg/graph", "pretrain/encoder", "finetune/model", "publish/embeddings")
_LONG = 300  # the daemon looks at backfills every 30 s, and trainings may run beside them
TARGETS = ("grocery", "table_booking", "recipes", "experiences", "meal_kits")


def partition_of(run):
    return {tag["key"]: tag["value"] for tag in run["tags"]}.get("dagster/partition")


def materialized(instance, kind):
    """Number of materialisations of an asset."""
    return len(instance.fetch_materializations(dg.AssetKey(kind.split("/")), limit=1000).records)


def test_a_backfill_of_every_target_goes_through_and_recomputes_nothing(live):
    before = live.platform.live(), live.platform.artifacts()
    status, runs = live.backfill("finetune/model", "publish/embeddings", seconds=_LONG)
    assert status == "COMPLETED_SUCCESS"
    assert {partition_of(run) for run in runs} == set(TARGETS)
    assert {run["status"] for run in runs} == {"SUCCESS"}
    assert (live.platform.live(), live.platform.artifacts()) == before


def test_a_broken_file_stops_a_backfill_below_its_domain(live):
    path = live.platform.logs / "grocery.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines[::2]:
        line["time"] = "yesterday"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    instance = live.platform.instance()
    below = {kind: materialized(instance, kind) for kind in ALL[2:]}
    before = live.platform.live(), live.platform.artifacts()

    status, runs = live.backfill(*ALL, seconds=_LONG)

    assert status == "COMPLETED_FAILED"
    by_partition = {partition_of(run): run for run in runs if partition_of(run)}
    assert len(by_partition) == 8
    assert {d for d, run in by_partition.items() if run["status"] == "FAILURE"} == {"grocery"}
    assert {kind: materialized(instance, kind) for kind in ALL[2:]} == below
    assert live.platform.live() == before[0]
    (refused,) = live.platform.artifacts() - before[1]
    assert refused.parent.parts[-2:] == ("raw", "refused")  # what the broken file held, to look at
    launched = {"/".join(a["path"]) for run in runs for a in run["assetSelection"] or []}
    assert launched == {"raw/events", "raw/links"}

    log = instance.all_logs(by_partition["grocery"]["runId"])
    (failure,) = [e.dagster_event for e in log if e.is_dagster_event and e.dagster_event.is_step_failure]
    said = failure.step_failure_data.user_failure_data.description
    for words in ("domain grocery", "file logs/grocery.jsonl", "column time", "rows are not valid", "row 1:"):
        assert words in said
    check = dg.AssetCheckKey(dg.AssetKey(["raw", "events"]), "contract")
    failed = [
        record for record in instance.event_log_storage.get_asset_check_execution_history(check, limit=50)
        if record.run_id == by_partition["grocery"]["runId"]
    ]  # fmt: skip
    assert [record.status.value for record in failed] == ["FAILED"]
