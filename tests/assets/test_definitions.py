"""What the code location offers: assets, checks, partitions, jobs, schedules and sensors."""

import warnings

import dagster as dg
import pytest

import assets as our_assets
from hier_dag.home import SAMPLE_DOMAINS
from hier_dag.study.registry import STUDIES

DOMAINS = (
    "food_delivery", "marketplace", "local_guide", "grocery", "table_booking", "recipes", "experiences",
    "meal_kits",
)  # fmt: skip
TARGETS = DOMAINS[3:]
OFFERED = {  # asset: (group, partitions, assets above, checks)
    "raw/events": ("raw", DOMAINS, set(),
                   {"contract", "input_schema", "corrections", "row_schema", "conservation", "expectations",
                    "expectations_warned"}),
    "raw/links": ("raw", None, set(), {"contract", "row_schema", "conservation"}),
    "kg/graph": ("kg", None, {"raw/events", "raw/links"},
                 {"contract", "all_domains", "degree_drift", "heterograph", "integrity", "no_leakage",
                  "shapes", "structure"}),
    "pretrain/encoder": ("pretrain", None, {"kg/graph"},
                         {"contract", "finite", "beats_untrained_profile", "collapse", "no_leakage"}),
    "finetune/model": ("finetune", TARGETS, {"kg/graph", "pretrain/encoder"},
                       {"contract", "finite", "complete", "no_negative_transfer", "no_leakage"}),
    "publish/embeddings": ("publish", TARGETS, {"finetune/model"},
                           {"contract", "row_schema", "coverage", "index_recall", "space_contract",
                            "transfer_gate"}),
    "audit/verification": ("audit", None, {"publish/embeddings"}, {"sound"}),
    "audit/lineage_report": ("audit", None, {"publish/embeddings"}, set()),
    "audit/bundle": ("audit", TARGETS, {"publish/embeddings"}, {"whole"}),
}  # fmt: skip


@pytest.fixture
def definitions(platform):
    return platform.definitions()


def test_the_code_location_loads_what_hier_domains_names(platform, monkeypatch):
    from hier_dag.definitions import defs

    monkeypatch.setenv("HIER_DOMAINS", str(platform.domains))
    loaded = defs()
    dg.Definitions.validate_loadable(loaded)
    assert len(list(loaded.assets)) == len(OFFERED) + len(STUDIES)


def test_the_assets_are_ours():
    # The package's name is generic: an environment with another `assets` would load the wrong DAG.
    assert our_assets.__file__.startswith(str(SAMPLE_DOMAINS.parents[2]))


def test_assets_their_groups_partitions_and_checks(definitions, platform):
    found = {}
    for spec in definitions.resolve_all_asset_specs():
        keys = tuple(spec.partitions_def.get_partition_keys()) if spec.partitions_def else None
        above = {d.asset_key.to_user_string() for d in spec.deps}
        checks = {
            c.name for a in definitions.assets if a.key == spec.key for c in a.check_specs if c.description
        }
        found[spec.key.to_user_string()] = (spec.group_name, keys, above, checks)
        assert spec.description
        assert spec.owners == ["team:recommender-platform"]
        assert 1 <= len(spec.kinds) <= 3
        assert spec.code_version
    studies = {name: found.pop(f"study/{name}") for name in STUDIES}
    assert found == OFFERED
    for name, (group, keys, above, checks) in studies.items():
        assert (group, keys) == ("study", tuple(c.key for c in STUDIES[name].cells(platform.config)))
        assert above == {STUDIES[name].above}
        assert checks == {"contract", "measured"}


def test_jobs_schedules_and_sensors(definitions):
    assert {job.name for job in definitions.jobs} == {
        "refresh_domain", "publish_target", "everything", "audit_platform", "bundle_target"
    }  # fmt: skip
    crons = {s.name: s.cron_schedule for s in definitions.schedules}
    assert crons == {
        "refresh_food_delivery": "0 2 * * *", "refresh_marketplace": "10 2 * * *",
        "refresh_local_guide": "20 2 * * *", "refresh_grocery": "0 4 * * *",
        "refresh_table_booking": "10 4 * * *", "refresh_recipes": "20 4 * * *",
        "refresh_experiences": "30 4 * * 1", "refresh_meal_kits": "40 4 * * 1",
    }  # fmt: skip
    assert {s.job_name for s in definitions.schedules} == {"refresh_domain"}
    assert {(s.name, s.job_name) for s in definitions.sensors} == {
        ("new_files", "refresh_domain"), ("publish_after_pretraining", "publish_target"),
        ("bundle_what_is_live", "bundle_target"), ("retrain_after_erasures", "everything"),
    }  # fmt: skip


def test_loading_does_not_import_what_trains(platform):
    import subprocess
    import sys

    code = (
        "import sys; from hier_dag.definitions import defs; defs();"
        "print(sorted({'torch', 'dgl', 'great_expectations', 'pandera'} & set(sys.modules)))"
    )
    import os

    environment = {**os.environ, **platform.environment()}
    loaded = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env=environment
    )
    assert loaded.stdout.strip() == "[]", loaded.stdout + loaded.stderr[-2000:]


def test_loading_warns_of_nothing_that_is_ours(platform):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        dg.Definitions.validate_loadable(platform.definitions())
    root = str(SAMPLE_DOMAINS.parents[2])
    ours = [w for w in said if w.filename.startswith(root) and "site-packages" not in w.filename]
    assert not [str(w.message) for w in ours if issubclass(w.category, DeprecationWarning)]


@pytest.mark.parametrize(("job", "partition"), [("refresh_domain", "grocery"), ("publish_target", "recipes")])
def test_a_job_goes_through_on_what_is_there(own, job, partition):
    before = own.live(), own.artifacts()
    definition = own.definitions().resolve_job_def(job)
    result = definition.execute_in_process(instance=own.instance(), partition_key=partition)
    assert result.success
    events = result.get_asset_materialization_events()
    assert events
    assert all(event.materialization.metadata["reused"].value for event in events)
    assert (own.live(), own.artifacts()) == before


def test_the_job_everything_publishes_every_target(own, monkeypatch):
    for name, value in own.environment().items():
        monkeypatch.setenv(name, value)
    own.record("grocery").unlink()
    before = own.artifacts()
    result = own.definitions().resolve_job_def("everything").execute_in_process(instance=own.instance())
    assert result.success
    assert set(own.live()) == set(TARGETS)
    assert own.artifacts() == before


def test_the_job_everything_fails_where_a_step_fails(own, monkeypatch):
    for name, value in own.environment().items():
        monkeypatch.setenv(name, value)
    (own.logs / "recipes.csv.gz").write_bytes(b"\x1f\x8b broken")
    before = own.live()
    job = own.definitions().resolve_job_def("everything")
    result = job.execute_in_process(instance=own.instance(), raise_on_error=False)
    assert not result.success
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    said = failure.step_failure_data.user_failure_data.description
    assert "raw/events[recipes]" in said
    assert "logs/recipes.csv.gz" in said
    assert own.live() == before
