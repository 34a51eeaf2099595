"""`hier run` says at its end which sets it made again, and which stay out of service."""

import json

import pytest

from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.publish.gates import SPACE, TRANSFER
from hier_dag.publish.reader import open_set

STEP = "finetune/model + publish/embeddings[recipes]"


@pytest.fixture
def twice(own):
    """A platform that published `recipes` in two versions, of other search queries each."""
    text = own.domains.read_text(encoding="utf-8")
    own.domains.write_text(text.replace("publish: {", "publish: {index: {queries: 50}, "), encoding="utf-8")
    done = own.run(only=["recipes"])[STEP]
    assert done.outcome == "made", done.message
    return own


def flip_a_byte(platform, digest):
    path = platform.store.path_of(PUBLISHED, digest) / "users.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def shown_checks(platform, run_id):
    """Checks of a run's published set as Dagster shows them: name to passed and facts."""
    records = platform.instance().all_logs(run_id)
    found = [r.dagster_event.asset_check_evaluation_data for r in records if r.is_dagster_event
             and r.dagster_event.event_type_value == "ASSET_CHECK_EVALUATION"]  # fmt: skip
    return {
        c.check_name: (c.passed, {k: v.value for k, v in c.metadata.items()})
        for c in found
        if c.asset_key.to_user_string() == PUBLISHED
    }


def test_a_damaged_live_set_is_rebuilt_with_the_gates_that_let_it_pass_and_that_is_told(own, hier):
    live = open_set(own.home.root, "recipes").digest
    before = own.live()
    flip_a_byte(own, live)
    code, out, err = hier("run", own.domains, "--target", "recipes")
    assert code == 0, err
    assert f"Made again, since its files were damaged or gone: {PUBLISHED}[recipes] {live[:12]}" in out
    assert own.store.open(PUBLISHED, live).digest == live
    assert own.live() == before, "the version in force is the one that it was"
    assert hier("recommend", "recipes", open_set(own.home.root, "recipes").some_users(1)[0]).code == 0
    again = json.loads(hier("run", own.domains, "--target", "recipes", "--json").out)
    assert again["made_again"] == []


def test_every_declared_check_of_a_rebuilt_set_is_shown_as_it_is_on_record(own):
    live = open_set(own.home.root, "recipes").digest
    flip_a_byte(own, live)
    done = own.run(only=["recipes"])[STEP]
    shown = shown_checks(own, done.run_id)
    assert set(shown) == {"contract", "row_schema", "coverage", "index_recall", TRANSFER, SPACE}
    on_record = {c.name: c for c in own.registry.checks(live)}
    assert shown[SPACE][1]["message"] == on_record[SPACE].facts["message"] == "the space is first"


def test_a_damaged_set_that_is_held_back_is_rebuilt_and_stays_out_of_service(twice, hier):
    second = open_set(twice.home.root, "recipes").digest
    hier("rollback", "recipes", "--why", "ranks badly")
    flip_a_byte(twice, second)
    code, out, err = hier("run", twice.domains, "--target", "recipes", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert told["made_again"] == [{"kind": PUBLISHED, "partition": "recipes", "digest": second}]
    assert [h["set"] for h in told["held_back"]] == [second]
    assert open_set(twice.home.root, "recipes").version == 3


def test_a_set_of_a_rolled_back_model_that_is_new_is_held_back_and_no_gate_is_asked(own, hier):
    config = own.domains.read_text(encoding="utf-8")
    own.domains.write_text(config.replace("finetune_epochs: 1", "finetune_epochs: 2"), encoding="utf-8")
    assert own.run(only=["recipes"])[STEP].outcome == "made"
    hier("rollback", "recipes", "--why", "ranks badly")
    text = own.domains.read_text(encoding="utf-8")
    own.domains.write_text(text.replace("publish: {", "publish: {index: {queries: 50}, "), encoding="utf-8")
    done = own.run(only=["recipes"])[STEP]
    assert done.outcome == "made", done.message
    shown = shown_checks(own, done.run_id)
    for gate in (TRANSFER, SPACE):
        assert shown[gate] == (True, {"asked": False, "message": "not asked: the set is held back"})
    (held,) = json.loads(hier("run", own.domains, "--target", "recipes", "--json").out)["held_back"]
    assert held["version"] is None, "it never was in force"
    assert held["released_by"] == [
        f'hier approve recipes --set {held["set"][:12]} --why "…", then hier run',
        "publishing the set of another model in its place",
    ]


def test_the_end_of_a_run_says_which_set_is_held_back_by_whom_and_what_releases_it(twice, hier):
    second = open_set(twice.home.root, "recipes").digest
    assert "held back" not in hier("run", twice.domains, "--target", "recipes").out
    hier("rollback", "recipes", "--why", "ranks [badly] since Monday")
    row = twice.registry.alias("recipes")
    code, out, _ = hier("run", twice.domains)
    assert code == 0
    assert (
        f"recipes: the newest set ({second[:12]}, version 2) is held back: {row.who} rolled back from it on "
        f"{row.created_at:%Y-%m-%d %H:%M} UTC (ranks [badly] since Monday). Live is version 3, the set of "
        "version 1."
    ) in out
    assert (
        f'What ends it: hier rollback recipes --to 2 --why "…"; or hier approve recipes --set {second[:12]} '
        '--why "…", then hier run; or publishing another set in its place.'
    ) in out
    told = json.loads(hier("run", twice.domains, "--json").out)["held_back"]
    assert [(h["domain"], h["set"], h["version"], h["live_version"]) for h in told] == [
        ("recipes", second, 2, 3)
    ]
    assert (told[0]["by"], told[0]["why"]) == (row.who, "ranks [badly] since Monday")
    other = next(t for t in twice.config.target_names if t != "recipes")
    assert json.loads(hier("run", twice.domains, "--target", other, "--json").out)["held_back"] == []


@pytest.mark.parametrize("way", ["rollback", "approve"])
def test_what_is_told_to_release_a_held_set_does(twice, hier, way):
    second = open_set(twice.home.root, "recipes").digest
    hier("rollback", "recipes", "--why", "ranks badly")
    if way == "rollback":
        assert hier("rollback", "recipes", "--to", "2", "--why", "it was the cache").code == 0
    else:
        assert hier("approve", "recipes", "--set", second[:12], "--why", "it was the cache").code == 0
    told = json.loads(hier("run", twice.domains, "--target", "recipes", "--json").out)
    assert told["held_back"] == []
    live = open_set(twice.home.root, "recipes")
    assert (live.digest, live.version) == (second, 4)
