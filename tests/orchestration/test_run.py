"""`hier run`: everything once, then only what changed."""

import json
import os
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq

from hier_dag.pipeline.stages import EVENTS, PUBLISHED
from hier_dag.publish.reader import open_set

TARGETS = ("grocery", "table_booking", "recipes", "experiences", "meal_kits")
SOURCES = ("food_delivery", "marketplace", "local_guide")


def test_every_target_is_published_the_one_without_a_log_too(platform):
    assert set(platform.live()) == set(TARGETS)
    for domain in TARGETS:
        published = open_set(platform.home.root, domain)
        assert published.version == 1
        assert published.digest == platform.registry.latest(PUBLISHED, domain)
        assert published.facts["users"] > 0
        assert published.facts["items"] > 0
    assert platform.latest(EVENTS, "meal_kits").manifest.summary["rows_in"] == 0
    assert open_set(platform.home.root, "meal_kits").facts["users"] > 500


def test_every_step_was_a_dagster_run_that_shows_which_step_it_was(platform):
    runs = platform.instance().get_runs()
    assert {run.tags["hier/step"] for run in runs} == {
        *(f"raw/events[{d}]" for d in (*SOURCES, *TARGETS)),
        *(f"finetune/model + publish/embeddings[{d}]" for d in TARGETS),
        "raw/links", "kg/graph", "pretrain/encoder",
    }  # fmt: skip
    assert len(runs) == 16
    assert all(run.is_success for run in runs)


def test_a_second_run_recomputes_nothing(own):
    before = own.artifacts(), own.live(), own.instance().get_runs_count()
    assert set(own.outcomes().values()) == {"reused"}
    assert (own.artifacts(), own.live(), own.instance().get_runs_count()) == before


def test_one_target_can_be_run_alone(own):
    steps = own.outcomes(only=["recipes"])
    assert [s for s in steps if s.startswith("finetune")] == ["finetune/model + publish/embeddings[recipes]"]


def test_a_new_daily_file_is_added_and_everything_below_it_made_again(own):
    old = own.latest(EVENTS, "food_delivery")
    june = own.logs / "food_delivery" / "2026-06.parquet"
    # A day's delivery: rows of June once more, by a customer nobody has seen, so none is a duplicate.
    rows = pq.read_table(june).slice(0, 40)
    ids = [f"newcomer_{n}" for n in range(40)]
    at = rows.column_names.index("customer_id")
    pq.write_table(rows.set_column(at, "customer_id", [ids]), june.with_name("2026-07-01.parquet"))

    outcomes = own.outcomes()
    kept = {f"raw/events[{d}]" for d in (*SOURCES, *TARGETS) if d != "food_delivery"} | {"raw/links"}
    assert {step for step, outcome in outcomes.items() if outcome == "reused"} == kept
    assert set(outcomes.values()) == {"reused", "made"}

    new = own.latest(EVENTS, "food_delivery")
    assert [i["location"] for i in new.manifest.inputs][:-1] == [i["location"] for i in old.manifest.inputs]
    before, after = old.files("events/"), new.files("events/")
    assert len(after) == len(before) + 1
    for was, now in zip(before, after, strict=False):
        # Linked, not written again: the old raw files were not opened.
        assert os.stat(was).st_ino == os.stat(now).st_ino
    for domain, alias in own.live().items():
        assert json.loads(alias)["version"] == 2, domain
        assert len(own.registry.alias_history(domain)) == 2
    published = open_set(own.home.root, "meal_kits")
    assert "newcomer_0" in published.some_users(10_000)


def test_an_alias_file_that_was_lost_or_damaged_is_written_again(own):
    before = own.live()
    own.record("grocery").unlink()
    own.record("recipes").write_bytes(b"{")
    outcomes = own.outcomes()
    assert own.live() == before
    assert sorted(s for s, o in outcomes.items() if o != "reused") == [
        "finetune/model + publish/embeddings[grocery]",
        "finetune/model + publish/embeddings[recipes]",
    ]


def test_a_damaged_artifact_is_rebuilt_and_has_the_same_digest(own):
    events = own.latest(EVENTS, "recipes")
    (part, *_) = events.files("events/")
    part.chmod(0o644)
    part.write_bytes(part.read_bytes()[:-1])
    before = own.live()
    steps = own.run()
    assert steps["raw/events[recipes]"].outcome == "made", steps["raw/events[recipes]"].message
    assert own.latest(EVENTS, "recipes").digest == events.digest
    assert own.live() == before


def test_a_blocking_transfer_gate_refuses_a_target_that_loses_and_publishes_the_others(own):
    facts = {t: _gate_facts(own, t) for t in own.config.target_names}
    losing = {t for t, f in facts.items() if not f["passed"]}
    assert losing < set(facts), "no target passes: the tiny platform says nothing"
    assert losing, "no target loses: the tiny platform says nothing"
    before = own.live()
    text = own.domains.read_text(encoding="utf-8")
    text = text.replace("gates: {transfer: warn}", "gates: {transfer: block}")
    own.domains.write_text(text, encoding="utf-8")
    assert set(own.outcomes().values()) == {"reused"}, "what is live stays live"
    text = own.domains.read_text(encoding="utf-8").replace("publish: {", "publish: {index: {queries: 50}, ")
    own.domains.write_text(text, encoding="utf-8")
    done = own.run()
    for target in facts:
        step = done[f"finetune/model + publish/embeddings[{target}]"]
        assert step.outcome == ("failed" if target in losing else "made")
        assert (own.live()[target] == before[target]) == (target in losing)
        if target in losing:
            assert "below" in step.message
            assert f"hier waive {target}" in step.message
    (target, *_) = losing
    own.registry.decide(target, "waiver", "*", why="a launch", until=datetime.now(UTC) + timedelta(days=1))
    assert own.run(only=[target])[f"finetune/model + publish/embeddings[{target}]"].outcome == "made"
    assert json.loads(own.live()[target])["version"] == 2


def _gate_facts(platform, target):
    checks = platform.registry.checks(platform.registry.latest("finetune/model", target))
    return next(c.facts for c in checks if c.name == "no_negative_transfer")
