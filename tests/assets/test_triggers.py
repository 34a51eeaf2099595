"""Schedules and sensors: which runs they ask for, and that they ask once."""

from datetime import UTC, datetime

import dagster as dg
import pyarrow.parquet as pq

from hier_dag.erasure.erased import ERASURE

TARGETS = ("grocery", "table_booking", "recipes", "experiences", "meal_kits")


def named(platform, kind, name):
    return next(d for d in getattr(platform.definitions(), kind) if d.name == name)


def look(platform, sensor, cursor, instance):
    """One tick of a sensor as the daemon evaluates it."""
    context = dg.build_sensor_context(instance=instance, cursor=cursor, definitions=platform.definitions())
    return named(platform, "sensors", sensor).evaluate_tick(context)


def look_with_resources(platform, sensor):
    """The same, of a sensor that looks at the registry and the store."""
    definitions = platform.definitions()
    resources = {name: definitions.resources[name] for name in ("store", "registry")}
    context = dg.build_sensor_context(
        instance=platform.instance(), resources=resources, definitions=definitions
    )
    return named(platform, "sensors", sensor).evaluate_tick(context)


def test_a_tick_asks_for_the_domain_that_it_is_named_after(platform):
    moment = datetime(2026, 7, 6, 4, 30, tzinfo=UTC)
    schedule = named(platform, "schedules", "refresh_experiences")
    assert schedule.execution_timezone == "UTC"

    def ask():
        context = dg.build_schedule_context(platform.instance(), scheduled_execution_time=moment)
        asked = schedule(context)
        return [asked] if isinstance(asked, dg.RunRequest) else list(asked)

    (first,), (again,) = ask(), ask()
    assert (first.run_key, first.partition_key) == ("2026-07-06T04:30:experiences", "experiences")
    assert again.run_key == first.run_key


def test_new_files_asks_for_the_changed_domains_alone(own):
    instance = own.instance()
    first = look(own, "new_files", None, instance)
    assert not first.run_requests
    assert "First look" in first.skip_message
    still = look(own, "new_files", first.cursor, instance)
    assert not still.run_requests
    assert "No raw file has changed" in still.skip_message

    june = own.logs / "food_delivery" / "2026-06.parquet"
    june.with_name("2026-07.parquet").write_bytes(june.read_bytes())
    (own.logs / "table_booking.sqlite").touch()
    changed = look(own, "new_files", still.cursor, instance)
    assert {r.partition_key for r in changed.run_requests} == {"food_delivery", "table_booking"}
    assert len({r.run_key for r in changed.run_requests}) == 2
    assert not look(own, "new_files", changed.cursor, instance).run_requests


def test_changed_links_ask_for_one_run(own):
    instance = own.instance()
    cursor = look(own, "new_files", None, instance).cursor
    links = next((own.logs.parent / "links").glob("*.parquet"))
    links.touch()
    changed = look(own, "new_files", cursor, instance)
    assert len(changed.run_requests) == 1
    assert changed.run_requests[0].run_key.startswith("*links:")


def test_a_domain_whose_files_are_gone_is_asked_for_when_they_are_back(own):
    instance = own.instance()
    path = own.logs / "recipes.csv.gz"
    cursor = look(own, "new_files", None, instance).cursor
    whole = path.read_bytes()
    path.unlink()
    gone = look(own, "new_files", cursor, instance)
    assert not gone.run_requests
    path.write_bytes(whole)
    back = look(own, "new_files", gone.cursor, instance)
    assert [r.partition_key for r in back.run_requests] == ["recipes"]


def test_a_new_encoder_asks_for_each_target_once(own):
    instance = own.instance()
    first = look(own, "publish_after_pretraining", None, instance)
    assert [r.partition_key for r in first.run_requests] == list(TARGETS)
    assert len({r.run_key for r in first.run_requests}) == len(TARGETS)
    assert not look(own, "publish_after_pretraining", first.cursor, instance).run_requests

    # An encoder that is materialised again is asked for again, under keys of its own: it may be one that
    # comes back (A, B, A), and what is there already is reused.
    job = own.definitions().resolve_implicit_global_asset_job_def()
    encoder = [dg.AssetKey(["pretrain", "encoder"])]
    assert job.execute_in_process(instance=instance, asset_selection=encoder).success
    again = look(own, "publish_after_pretraining", first.cursor, instance)
    assert [r.partition_key for r in again.run_requests] == list(TARGETS)
    assert not {r.run_key for r in again.run_requests} & {r.run_key for r in first.run_requests}


def test_an_erasure_asks_for_one_run_of_the_pipeline(own, hier):
    none = look_with_resources(own, "retrain_after_erasures")
    assert not none.run_requests
    assert "Nothing that is newest" in none.skip_message
    seen = pq.read_table(own.latest("publish/embeddings", "grocery").file("seen.parquet"))
    someone = seen["user_id"][0].as_py()
    forgotten = hier("forget", someone, "--why", "asked to be", "--domains", own.domains)
    assert forgotten.code == 0, forgotten.err
    (asked,) = look_with_resources(own, "retrain_after_erasures").run_requests
    assert asked.run_key == f"erasure:{own.registry.decisions(kinds=(ERASURE,))[0].event}"
    assert int(asked.tags["hier/stale"]) > 0
    (again,) = look_with_resources(own, "retrain_after_erasures").run_requests
    assert again.run_key == asked.run_key
