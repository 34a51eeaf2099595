"""Domains with next to nothing in their logs end in sound vectors or in a refusal that names them."""

import numpy as np
import pytest
import yaml

from benchmarks.faults.degenerate import CASES, SOURCE, TARGET, declared, flaws, read_log, write_log
from hier_dag.publish.reader import open_set

EMPTY = {"no events", "all quarantined"}


def name_of(case):
    return case.replace(" ", "_")


def add(platform, role, cases, *, only=()):
    """Declares one degenerate domain a case beside the others, or beside `only` these."""
    whole = yaml.safe_load(platform.domains.read_text(encoding="utf-8"))
    log = read_log(platform.data, TARGET if role == "target" else SOURCE)
    if only:
        whole["domains"] = {d: v for d, v in whole["domains"].items() if d in only}
    for case in cases:
        write_log(platform.data / f"{name_of(case)}.csv", CASES[case](log))
        whole["domains"][name_of(case)] = declared(role, f"{name_of(case)}.csv")
    # A tiny encoder's worth is not what is asked here, nor is a tiny transfer's.
    whole["stages"]["gates"] = {"encoder": "warn", "transfer": "warn"}
    platform.domains.write_text(yaml.safe_dump(whole), encoding="utf-8")


def of(steps, kind, domain):
    return next(
        done for title, done in steps.items() if title.startswith(kind) and title.endswith(f"[{domain}]")
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "cases",
    # A pair that one domain holds out trains in none, so that cases with the same pairs are kept apart.
    [
        ("no events", "all quarantined", "one user", "one item", "no overlap", "all cold", "test alone"),
        ("validation alone", "hub user", "hub item"),
        ("training alone", "no overlap"),
        ("one event", "one pair repeated"),
    ],
    ids=lambda cases: cases[0],
)  # fmt: skip
def test_degenerate_targets_are_published_soundly_or_refused_by_name(fresh, cases):
    add(fresh, "target", cases)
    steps = fresh.run()
    failed = {title for title, done in steps.items() if done.outcome == "failed"}
    empty = EMPTY & {*cases}
    assert failed == {f"finetune/model + publish/embeddings[{name_of(c)}]" for c in empty}
    for case in empty:
        message = of(steps, "finetune", name_of(case)).message
        assert f"domain {name_of(case)}" in message
        assert "nothing to publish: 0 users and 0 items" in message
        assert "audience: platform" in message
    assert {*fresh.live()} == {d for d in fresh.config.target_names if d not in map(name_of, empty)}
    assert flaws(fresh.home.root) == 0


@pytest.mark.slow
def test_degenerate_sources_do_no_harm(fresh):
    add(fresh, "source", CASES)
    outcomes = fresh.outcomes(only=["grocery", "meal_kits"])
    assert set(outcomes.values()) == {"made"}, outcomes
    assert {*fresh.live()} == {"grocery", "meal_kits"}
    assert flaws(fresh.home.root) == 0


@pytest.mark.slow
@pytest.mark.parametrize("case", ["no events", "one event", "one pair repeated", "test alone", "one user"])
def test_a_platform_whose_only_source_is_degenerate(fresh, case):
    add(fresh, "source", [case], only=("grocery", "meal_kits"))
    steps = fresh.run()
    bad = {title: done.message for title, done in steps.items() if done.outcome == "failed"}
    for message in bad.values():
        assert "Fix:" in message
        assert "Error" not in message, "a refusal in words, not a stack trace"
    assert flaws(fresh.home.root) == 0
    assert set(bad) <= {"pretrain/encoder", "kg/graph"}
    assert bool(bad) != bool(fresh.live())


def test_a_target_that_lost_its_rows_keeps_its_live_set(own):
    before = own.live()["recipes"]
    whole = yaml.safe_load(own.domains.read_text(encoding="utf-8"))
    write_log(own.data / "empty.csv", CASES["no events"](read_log(own.data, TARGET)))
    whole["domains"]["recipes"] = declared("target", "empty.csv")
    own.domains.write_text(yaml.safe_dump(whole), encoding="utf-8")
    refused = [done for done in own.run(only=["recipes"]).values() if done.outcome == "failed"]
    assert "domain recipes" in refused[0].message
    assert "Fix:" in refused[0].message
    assert own.live()["recipes"] == before
    opened = open_set(own.home.root, "recipes")
    assert np.isfinite(opened.user_vector(opened.some_users(1)[0])).all()
