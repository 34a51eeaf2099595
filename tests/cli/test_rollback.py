"""`hier rollback`, `hier approve`, `hier waive`: what is live changes, and the history says who and why."""

import json

import pytest

from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.publish.reader import open_set

STEP = "finetune/model + publish/embeddings[recipes]"


@pytest.fixture
def twice(own):
    """A platform that published `recipes` in two versions, of other search queries each."""
    republish(own, "index: {queries: 50}, ")
    return own


def republish(platform, params):
    text = platform.domains.read_text(encoding="utf-8")
    platform.domains.write_text(text.replace("publish: {", "publish: {" + params), encoding="utf-8")
    done = platform.run(only=["recipes"])[STEP]
    assert done.outcome == "made", done.message


def test_a_roll_back_restores_the_set_before_and_a_rerun_does_not_undo_it(twice, hier):
    first, second = (open_set(twice.home.root, "recipes", version=v).digest for v in (1, 2))
    held = open_set(twice.home.root, "recipes")
    code, out, _ = hier("rollback", "recipes", "--why", "the new one ranks badly")
    assert code == 0
    assert "live is version 3 now, the set of version 1" in out
    now = held.refresh()
    assert (held.digest, now.version, now.digest) == (second, 3, first)
    assert twice.run(only=["recipes"])[STEP].outcome == "reused"
    assert open_set(twice.home.root, "recipes").digest == first
    row = twice.registry.alias("recipes")
    assert (row.action, row.why) == ("rollback", "the new one ranks badly")
    told = json.loads(hier("rollback", "recipes", "--to", "2", "--why", "a mistake", "--json").out)
    assert (told["version"], told["restores"], told["digest"]) == (4, 2, second)


def test_a_new_set_goes_live_after_a_roll_back(twice, hier):
    hier("rollback", "recipes", "--why", "w")
    text = twice.domains.read_text(encoding="utf-8")
    twice.domains.write_text(text.replace("queries: 50", "queries: 60"), encoding="utf-8")
    assert twice.run(only=["recipes"])[STEP].outcome == "made"
    assert open_set(twice.home.root, "recipes").version == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("recipes", "--why", "w"), "no earlier set"),
        (("recipes", "--to", "9", "--why", "w"), "has no version 9"),
        (("recipes", "--why", " "), "needs a reason"),
        (("nowhere", "--why", "w"), "no domain of the platform"),
    ],
)
def test_what_cannot_be_rolled_back_is_told(own, hier, arguments, words):
    before = own.live()
    code, _, err = hier("rollback", *arguments)
    assert code == 2
    assert words in err
    assert own.live() == before


def test_another_space_waits_for_an_approval_and_then_goes_live_without_being_made_again(own, hier):
    text = own.domains.read_text(encoding="utf-8")
    text = text.replace("breaking: allow", "breaking: approve").replace("dim: 16", "dim: 8")
    own.domains.write_text(text, encoding="utf-8")
    before = own.live()["recipes"]
    done = own.run(only=["recipes"])[STEP]
    assert done.outcome == "failed"
    assert "another space" in done.message
    made = own.registry.latest(PUBLISHED, "recipes")
    assert f"hier approve recipes --set {made[:12]} --why" in done.message
    assert own.live()["recipes"] == before
    why = "all consumers retrain on Monday"
    assert hier("approve", "recipes", "--set", made[:12], "--why", why).code == 0
    done = own.run(only=["recipes"])[STEP]
    assert done.outcome == "made", done.message
    row = own.registry.alias("recipes")
    assert (row.digest, row.change, row.version) == (made, "breaking", 2)
    checks = own.registry.checks(made)
    assert "all consumers retrain on Monday" in next(
        c.facts["approval"] for c in checks if c.name == "space_contract" and "approval" in c.facts
    )


def test_decisions_need_a_target_a_reason_and_an_end_that_lies_ahead(own, hier):
    for command in ("waive", "approve"):
        assert "needs a reason" in hier(command, "recipes", "--why", "").err
        assert "no target" in hier(command, "marketplace", "--why", "w").err
        assert "has passed" in hier(command, "recipes", "--why", "w", "--until", "2020-01-01").err
        assert "is no moment" in hier(command, "recipes", "--why", "w", "--until", "soon").err
    told = json.loads(hier("waive", "recipes", "--why", "w", "--until", "2099-01-01", "--json").out)
    assert (told["kind"], told["subject"]) == ("waiver", "*")
    assert told["until"].startswith("2099-01-01T23:59:59")  # the last day counts


def test_a_named_alias_is_followed_by_its_name(own, hier):
    code, out, _ = hier("alias", "recipes", "canary", "--why", "a first look")
    assert code == 0
    assert "canary is version 1 now, the set of live version 1" in out
    live, canary = open_set(own.home.root, "recipes"), open_set(own.home.root, "recipes", "canary")
    assert (canary.digest, canary.record.why) == (live.digest, "a first look")
    again = hier("alias", "recipes", "canary", "--why", "another reason")
    assert again.code == 0
    assert "canary is version 1 already" in again.out
    assert "the reason on record stays: a first look" in again.out
    told = json.loads(hier("alias", "recipes", "canary", "--why", "another reason", "--json").out)
    assert (told["already"], told["why"]) == (True, "a first look")
    assert "moves by publication" in hier("alias", "recipes", "live", "--why", "w").err
    assert "no version 9" in hier("alias", "recipes", "canary", "--to", "9", "--why", "w").err
    assert "no alias can be called" in hier("alias", "recipes", "../x", "--why", "w").err
    assert "needs a reason" in hier("alias", "recipes", "canary", "--why", "").err
