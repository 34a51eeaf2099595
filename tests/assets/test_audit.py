"""The audit verifies, reports and gathers evidence, fails where something is wrong, and only reads."""

import hashlib
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import yaml

from hier_dag.audit.bundle.verify import problems, read
from hier_dag.errors import ConfigError
from hier_dag.registry import Move
from tests.databases import of_sqlite

TARGETS = {"grocery", "table_booking", "recipes", "experiences", "meal_kits"}


@pytest.fixture
def materialize(own):
    """Materialises one asset on the copy's instance: the run's result."""

    def run(name, partition=None):
        job = own.definitions().resolve_implicit_global_asset_job_def()
        return job.execute_in_process(
            instance=own.instance(),
            partition_key=partition,
            asset_selection=[dg.AssetKey(["audit", name])],
            raise_on_error=False,
        )

    return run


def shown(result):
    """Metadata of a run's one materialisation."""
    (event,) = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def forge(file):
    """Rewrites who published, as somebody with a database client would."""
    with sqlite3.connect(file) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f'DROP TRIGGER "{name}"')
        db.execute("UPDATE aliases SET who = 'nobody' WHERE domain = 'grocery'")


def test_a_sound_registry_is_verified_and_nothing_is_written_to_it(own, materialize):
    before = own.registry.head()
    result = materialize("verification")
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("sound", True)
    assert shown(result)["events"] == before.seq
    assert (shown(result)["verdict"], shown(result)["head"]) == ("sound", before.hash)
    assert materialize("lineage_report").success
    assert own.registry.head() == before


@of_sqlite
def test_a_registry_that_was_changed_fails_the_check_and_the_run_and_the_report_says_so(own, materialize):
    forge(own.registry_file)
    result = materialize("verification")
    assert not result.success
    assert not result.get_asset_materialization_events()
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    said = failure.step_failure_data.user_failure_data.description
    # The row, three triggers, and the record that readers follow.
    assert "the platform is not sound: 5 problem(s)" in said
    assert "grocery, live, version 1" in said
    assert "Fix: " in said
    assert "nobody" in check.metadata["first_problems"].value
    assert shown(materialize("lineage_report"))["registry"].startswith("not sound: 4 problem(s)")


def test_a_flipped_byte_in_the_store_fails_the_check(own, materialize):
    file = own.latest("finetune/model", "grocery").file("vectors.safetensors")
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.chmod(0o644)
    file.write_bytes(data)
    result = materialize("verification")
    assert not result.success
    (check,) = result.get_asset_check_evaluations()
    assert "vectors.safetensors" in check.metadata["first_problems"].value


def test_the_report_names_what_is_live_and_lies_beside_the_state(own, materialize):
    seen = shown(materialize("lineage_report"))
    for domain in TARGETS:
        assert f"| {domain} | live\u00a01 | `{own.registry.alias(domain).digest[:12]}` |" in seen["live"]
    assert Path(seen["page"]).parent == own.home.audit
    report = json.loads(Path(seen["json"]).read_bytes())
    assert {live["domain"] for live in report["live"]} == TARGETS
    assert seen["head"] == f"event {own.registry.head().seq}, {own.registry.head().hash}"
    again = materialize("lineage_report").get_asset_materialization_events()[0].materialization
    first = own.instance().fetch_materializations(dg.AssetKey(["audit", "lineage_report"]), limit=2).records
    assert {r.asset_materialization.tags["dagster/data_version"] for r in first} == {
        again.tags["dagster/data_version"]
    }


def test_a_bundle_holds_the_evidence_about_what_is_live_and_verifies_itself(own, materialize):
    result = materialize("bundle", "grocery")
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("whole", True)
    seen, row = shown(result), own.registry.alias("grocery")
    assert (seen["version"], seen["set"], seen["event"]) == (row.version, row.digest, row.event)
    archive = Path(seen["archive"])
    assert archive == own.home.audit / "bundles" / "grocery_v1.zip"
    assert not list(problems(read(archive)))
    (event,) = result.get_asset_materialization_events()
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert event.materialization.tags["dagster/data_version"] == digest


def test_a_target_of_which_nothing_is_live_has_no_bundle_and_the_message_says_so(fresh):
    job = fresh.definitions().resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=fresh.instance(),
        partition_key="grocery",
        asset_selection=[dg.AssetKey(["audit", "bundle"])],
        raise_on_error=False,
    )
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    assert "grocery" in failure.step_failure_data.user_failure_data.description
    assert not fresh.home.audit.exists()


def test_a_run_of_the_pipeline_and_its_jobs_leave_the_audit_out(own):
    definitions = own.definitions()
    for name in ("refresh_domain", "publish_target"):
        keys = {k.path[0] for k in definitions.resolve_job_def(name).asset_layer.selected_asset_keys}
        assert "audit" not in keys
    assert not any("audit" in title for title in own.outcomes())
    assert not own.home.audit.exists()


def test_the_sensor_asks_for_a_bundle_of_every_version_in_force_and_again_after_a_roll_back(own):
    def asked():
        resources = {name: own.definitions().resources[name] for name in ("store", "registry")}
        context = dg.build_sensor_context(
            instance=own.instance(), resources=resources, definitions=own.definitions()
        )
        (sensor,) = [s for s in own.definitions().sensors if s.name == "bundle_what_is_live"]
        return {(r.run_key, r.partition_key) for r in sensor.evaluate_tick(context).run_requests or []}

    assert asked() == {(f"{domain}:1", domain) for domain in TARGETS}
    for domain in TARGETS:
        file = own.home.audit / "bundles" / f"{domain}_v1.zip"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert not asked()
    row = own.registry.alias("recipes")
    own.registry.move_alias(Move("recipes", "live", row.digest, "", why="a test", action="rollback"))
    assert asked() == {("recipes:2", "recipes")}


def test_the_audit_runs_when_it_is_declared_to_and_a_wrong_cron_is_refused(own):
    assert "audit_platform" not in {s.name for s in own.definitions().schedules}
    declaration = yaml.safe_load(own.domains.read_text(encoding="utf-8"))
    own.domains.write_text(yaml.safe_dump({**declaration, "audit": {"schedule": "0 5 * * *"}}))
    (schedule,) = [s for s in own.definitions().schedules if s.name == "audit_platform"]
    assert (schedule.cron_schedule, schedule.job_name) == ("0 5 * * *", "audit_platform")
    moment = datetime(2026, 7, 6, 5, tzinfo=UTC)
    context = dg.build_schedule_context(own.instance(), scheduled_execution_time=moment)
    assert schedule(context).run_key == "2026-07-06T05:00"
    own.domains.write_text(yaml.safe_dump({**declaration, "audit": {"schedule": "0 5 31 2 *"}}))
    with pytest.raises(ConfigError, match=r"audit\.schedule"):
        _ = own.config
