"""Every expectation fails on a profile that must fail it and holds on one that must pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hier_dag.config.expectations import NAMES
from hier_dag.config.models import PlatformConfig
from hier_dag.errors import ConfigError
from hier_dag.ingest.profile import EventProfile, TimeProfile
from hier_dag.ingest.sketch import Sketch
from schemas.expectations.declared import declared, metrics, shipped
from schemas.expectations.metrics import drift_metrics, own_metrics
from schemas.expectations.verdict import LastVersion, judge_profile

LAST = "0c2f1ab39d72" + "0" * 52


def ids(numbers):
    return Sketch(len(numbers), np.array(sorted(numbers), np.uint64))


TIME = TimeProfile(
    first="2026-03-01T00:00:00+00:00",
    last="2026-03-20T00:00:00+00:00",
    days={f"2026-03-{d:02d}": 500 for d in range(1, 21)},
    hours=(0,) * 8 + (625,) * 16,
)
BASE = EventProfile(
    rows=10_000,
    behaviors={"view": 8_000, "order": 2_000},
    user_activity=(100, 200, 400, 200, 100),
    item_activity=(20, 40, 80, 40, 20),
    weights={"0": 8_000, "1": 2_000},
    time=TIME,
    top_user_rows=30,
    top_user_day=5,
    user_ids=ids(range(1_000)),
    item_ids=ids(range(5_000, 5_200)),
    rows_in=10_100,
    quarantined={"null_user": 100},
)
DAY_1 = replace(TIME, first=TIME.last, days={"2026-03-20": 10_000})
FAILING = {
    "rows": replace(EventProfile(), rows_in=10),
    "volume_ratio": replace(BASE, rows=4_000),
    "volume_growth": replace(BASE, rows=200_000),
    "user_ratio": replace(BASE, user_ids=ids(range(400))),
    "item_ratio": replace(BASE, item_ids=ids(range(5_000, 5_080))),
    "new_users": replace(BASE, user_ids=ids(range(2_500))),
    "new_items": replace(BASE, item_ids=ids(range(5_000, 5_700))),
    "kept_users": replace(BASE, user_ids=ids(range(900, 1_900))),
    "kept_items": replace(BASE, item_ids=ids(range(5_190, 5_400))),
    "users_as_items": replace(BASE, users_as_items=50),
    "swapped_ids": replace(BASE, item_ids=ids([*range(5_000, 5_200), *range(900, 1_000)])),
    "behavior_psi": replace(BASE, behaviors={"view": 4_000, "order": 6_000}),
    "lost_behaviors": replace(BASE, behaviors={"view": 10_000}),
    "new_behaviors": replace(BASE, behaviors={**BASE.behaviors, "wave": 10}),
    "user_activity_psi": replace(BASE, user_activity=(700, 100, 100, 60, 40)),
    "user_activity_ks": replace(BASE, user_activity=(10, 10, 100, 480, 400)),
    "item_activity_psi": replace(BASE, item_activity=(120, 40, 20, 10, 10)),
    "item_activity_ks": replace(BASE, item_activity=(5, 5, 10, 100, 80)),
    "top_user_share": replace(BASE, top_user_rows=2_000),
    "top_user_day": replace(BASE, top_user_day=20_000),
    "burst_growth": replace(BASE, top_user_day=900),
    "weight_psi": replace(BASE, weights={"0": 6_500, "1": 2_000, "9": 1_500}),
    "weight_ks": replace(BASE, weights={"7": 8_000, "8": 2_000}),
    "hour_psi": replace(BASE, time=replace(TIME, hours=(625,) * 16 + (0,) * 8)),
    "hour_ks": replace(BASE, time=replace(TIME, hours=(625,) * 16 + (0,) * 8)),
    "gap_share": replace(
        BASE, time=replace(TIME, days={"2026-01-01": 10, "2026-03-20": 9_990}, longest_gap_days=77)
    ),
    "gap_growth": replace(BASE, time=replace(TIME, longest_gap_days=9)),
    "days_ratio": replace(BASE, time=DAY_1),
    "lost_days": replace(BASE, time=replace(TIME, last="2026-03-15T00:00:00+00:00")),
    "timeless_growth": replace(BASE, time=replace(TIME, timeless=1_000)),
    "quarantined_share": replace(BASE, quarantined={"null_user": 400}),
    "quarantined_growth": replace(BASE, quarantined={"null_user": 300}),
    "new_reasons": replace(BASE, quarantined={"null_user": 100, "bad_time": 20}),
    "duplicate_growth": replace(BASE, deduplicated=2_000),
}


def config(expectations=None, own=None, data="."):
    shop = {"role": "source", "sources": {"path": "shop.csv"}, "expectations": own or {}}
    other = {"role": "target", "audience": "platform", "catalogue": {"path": "c.csv"}}
    return PlatformConfig.model_validate(
        {
            "platform": "test",
            "data": str(data),
            "domains": {"shop": shop, "other": other},
            "stages": {"expectations": expectations or {}},
        }
    )


def failed(profile, last=BASE, of=None, **more):
    """Names of the expectations that fail: those that block, those that warn."""
    before = None if last is None else LastVersion(LAST, last, **more)
    blocking, warned = judge_profile(of or config(), "shop", profile, before).checks
    assert [c.passed for c in (blocking, warned)] == [not c.facts["failed"] for c in (blocking, warned)]
    return [{f["expectation"] for f in c.facts["failed"]} for c in (blocking, warned)]


def test_every_expectation_that_can_be_declared_is_in_a_suite_and_has_a_canary():
    assert {e.name for e in shipped()} == set(NAMES) == set(FAILING)
    assert all(e.says and e.remedy and e.suite for e in shipped())


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_that_must_fail_fails(name):
    (expectation,) = (e for e in shipped() if e.name == name)
    blocking, warned = failed(FAILING[name])
    assert name in (blocking if expectation.blocks else warned)
    assert name not in (warned if expectation.blocks else blocking)


def test_the_same_data_again_fails_nothing():
    assert failed(BASE) == [set(), set()]


def test_a_first_version_fails_nothing_and_says_what_was_not_asked():
    blocking, warned = judge_profile(config(), "shop", BASE, None).checks
    assert blocking.passed
    assert warned.passed
    left_out = blocking.facts["not_asked"]
    assert left_out["why"] == "there is no other accepted version to compare with"
    assert set(left_out["expectations"]) >= {"volume_ratio", "new_users", "hour_psi", "weight_ks"}
    assert blocking.facts["against"] is None


def test_ordinary_growth_fails_nothing():
    grown = EventProfile(
        rows=20_000,
        behaviors={"view": 15_700, "order": 4_300},
        user_activity=(100, 260, 560, 420, 240, 40),
        item_activity=(10, 30, 80, 70, 40, 10),
        weights={"0": 15_700, "1": 4_300},
        time=replace(
            TIME,
            last="2026-04-09T00:00:00+00:00",
            days={**TIME.days, **{f"2026-04-{d:02d}": 1_000 for d in range(1, 10)}},
            longest_gap_days=3,
            hours=(*(int(n * 1.9) for n in TIME.hours[:20]), 1_500, 1_400, 1_300, 1_300),
        ),
        top_user_rows=70,
        top_user_day=9,
        user_ids=ids(range(1_620)),
        item_ids=ids(range(5_000, 5_240)),
        rows_in=20_300,
        quarantined={"null_user": 260},
        deduplicated=40,
    )
    assert failed(grown) == [set(), set()]


def test_a_platform_without_logs_is_asked_nothing():
    blocking, warned = judge_profile(config(), "other", EventProfile(), None).checks
    assert blocking.passed
    assert warned.passed
    assert blocking.facts["metrics"] == {}


def test_few_rows_give_no_shares():
    few = replace(BASE, rows=90, rows_in=90, user_ids=ids(range(3)))
    assert set(own_metrics(few)) == {"rows"}
    assert drift_metrics(BASE, few) == {}
    assert set(drift_metrics(few, BASE)) == {"volume_ratio", "user_ratio", "item_ratio"}


def test_two_samples_of_the_same_days_do_not_drift():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = (
            replace(
                BASE,
                rows=300,
                behaviors=dict(
                    zip(("view", "order"), rng.multinomial(300, [0.8, 0.2]).tolist(), strict=True)
                ),
                user_activity=tuple(rng.multinomial(150, [0.1, 0.2, 0.4, 0.2, 0.1]).tolist()),
                time=replace(TIME, hours=tuple(rng.multinomial(300, [1 / 24] * 24).tolist())),
            )
            for _ in range(2)
        )
        found = drift_metrics(a, b)
        assert max(found["hour_psi"], found["hour_ks"], found["behavior_psi"]) < 0.15
        assert max(found["user_activity_psi"], found["user_activity_ks"]) < 0.15


def test_weights_are_not_compared_where_they_were_declared_anew():
    assert "weight_ks" in failed(FAILING["weight_ks"])[0]
    assert failed(FAILING["weight_ks"], same_weights=False) == [set(), set()]


def test_the_message_names_metric_observed_bound_last_version_and_what_to_do():
    verdict = judge_profile(config(), "shop", FAILING["volume_ratio"], LastVersion(LAST, BASE))
    said, fix = verdict.checks[0].facts["message"], verdict.remedies["expectations"]
    assert "volume_ratio (events, as a multiple of the last accepted version's) is 0.4" in said
    assert "expected at least 0.5" in said
    assert f"The last accepted version is {LAST[:12]}" in said
    assert "a raw file is missing" in fix
    assert "{level: warn} for volume_ratio under domains.shop.expectations" in fix


def test_what_warns_already_is_not_told_to_warn():
    config_ = config(expectations={"volume_ratio": {"level": "warn"}})
    fix = judge_profile(config_, "shop", FAILING["volume_ratio"], LastVersion(LAST, BASE)).remedies[
        "expectations_warned"
    ]
    assert "for volume_ratio under domains.shop.expectations" in fix
    assert "level: warn" not in fix


def test_bounds_and_levels_are_as_declared_and_a_domain_s_own_go_first():
    collapsed = FAILING["volume_ratio"]
    assert failed(collapsed, of=config({"volume_ratio": {"min": 0.3}})) == [set(), set()]
    assert failed(collapsed, of=config({"volume_ratio": {"level": "warn"}})) == [set(), {"volume_ratio"}]
    assert failed(collapsed, of=config({"volume_ratio": {"level": "skip"}})) == [set(), set()]
    assert failed(collapsed, of=config({"volume_ratio": {"min": None}})) == [set(), set()]
    both = config({"volume_ratio": {"level": "skip"}}, {"volume_ratio": {"min": 0.5, "level": "block"}})
    assert failed(collapsed, of=both) == [{"volume_ratio"}, set()]
    tight = config({"volume_ratio": {"min": 0.9, "max": 1.05, "level": "block"}})
    assert failed(replace(BASE, rows=11_000), of=tight) == [{"volume_ratio"}, set()]


def suite(folder, *expectations):
    path = folder / "mine.json"
    path.write_text(json.dumps({"name": "mine", "expectations": list(expectations), "meta": {}}))
    return config({"suites": "mine.json"}, data=folder)


def expect(kind="expect_column_values_to_be_between", severity="warning", **kwargs):
    return {"type": kind, "severity": severity, "kwargs": kwargs, "meta": {}}


def test_a_suite_of_the_user_s_own_is_asked_too(tmp_path):
    own = suite(
        tmp_path,
        expect(column="rows", min_value=50_000),
        expect("expect_column_values_to_be_in_set", "critical", column="top_user_day", value_set=[1, 2]),
        expect(column="volume_ratio", min_value=0.99),
    )
    assert failed(BASE, of=own) == [{"mine.2"}, {"mine.1"}]
    assert failed(BASE, None, of=own) == [{"mine.2"}, {"mine.1"}], "drift is skipped on a first version"


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (expect(column="volume_ration", min_value=1), "did you mean 'volume_ratio'?"),
        (expect("expect_colum_max", column="rows", max_value=1), "expect_colum_max not found"),
        (expect(column="rows", most=1), "most"),
        (expect("expect_table_row_count_to_equal", value=1), "names no metric"),
        (expect(column="rows", severity="fatal", min_value=1), "fatal"),
    ],
)
def test_a_suite_that_cannot_be_used_is_refused(tmp_path, entry, says):
    with pytest.raises(ConfigError) as e:
        judge_profile(suite(tmp_path, entry), "shop", BASE, None)
    assert says in str(e.value)
    assert "Fix: " in str(e.value)


def test_a_suite_that_is_missing_or_no_json_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"mine\.json.*cannot be read"):
        declared(config({"suites": "mine.json"}, data=tmp_path), "shop")
    (tmp_path / "mine.json").write_text("expectations: []")
    with pytest.raises(ConfigError, match="no suite of great-expectations' JSON"):
        declared(config({"suites": "mine.json"}, data=tmp_path), "shop")


def test_every_metric_has_an_expectation():
    assert set(own_metrics(BASE) | drift_metrics(BASE, BASE)) == set(metrics())


def test_nothing_is_contacted_and_nothing_is_written(tmp_path):
    """In a process of its own, which may open no socket and starts in an empty home and folder."""
    code = """
import socket, os
def refuse(*_): raise AssertionError("a socket")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from tests.schemas.test_expectations import *
assert failed(FAILING["volume_ratio"])[0] == {"volume_ratio"}
assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
"""
    root, home = Path(__file__).parents[2], str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=tmp_path,
        env={
            **os.environ,
            "HOME": home,
            "TMPDIR": home,
            "PYTHONPATH": str(root),
            "GX_ANALYTICS_ENABLED": "true",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []
