"""`hier audit live` answers who put what live, when and why."""

import json

import pytest

from tests.retention.conftest import Town


@pytest.fixture
def town(tmp_path, monkeypatch):
    """Three versions of the café's set, on the first three days of March, the third a roll-back."""
    town = Town(tmp_path)
    monkeypatch.setenv("HIER_HOME", str(town.home.root.parent))
    monkeypatch.setenv("HIER_DOMAINS", str(town.declaration))
    monkeypatch.delenv("HIER_REGISTRY", raising=False)
    first = town.publish("first")
    town.publish("second")
    town.move(first, action="rollback")
    with town.registry._engine.begin() as database:
        for day in (1, 2, 3):
            at = f"created_at = '2026-03-0{day} 10:00:00.000000' WHERE version = {day}"
            database.exec_driver_sql(f"UPDATE aliases SET {at}")
    return town


def versions(answer):
    assert answer.code == 0, answer.err
    return [(v["version"], v["action"]) for v in json.loads(answer.out)["versions"]]


def test_what_is_live_now_and_what_was_on_a_day(hier, town):
    assert versions(hier("audit", "live", "cafe", "--json")) == [(3, "rollback")]
    assert versions(hier("audit", "live", "cafe", "--at", "2026-03-02", "--json")) == [(2, "publish")]
    assert versions(hier("audit", "live", "cafe", "--at", "2026-03-02T11:30+02:00", "--json")) == [
        (1, "publish")
    ]
    assert versions(hier("audit", "live", "--at", "2026-03-01", "--json")) == [(1, "publish")]


def test_every_move_is_listed_with_who_and_why(hier, town):
    answer = hier("audit", "live", "cafe", "--history")
    assert answer.code == 0, answer.err
    lines = [line for line in answer.out.splitlines() if "2026-03-0" in line]
    assert ["rollback" in line for line in lines] == [True, False, False]
    told = json.loads(hier("audit", "live", "--history", "--json").out)["versions"]
    assert [v["version"] for v in told] == [3, 2, 1]
    assert all(v["who"] and v["why"] == "w" and len(v["digest"]) == 64 for v in told)
    assert versions(hier("audit", "live", "--history", "--at", "2026-03-02", "--json")) == [
        (2, "publish"),
        (1, "publish"),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cafe", "--at", "2026-02-28"), "its first version is of 2026-03-01 10:00:00 UTC"),
        (("--at", "2026-02-28"), "its first version is of 2026-03-01 10:00:00 UTC"),
        (("cafe", "--at", "2999-01-01"), "is in the future"),
        (("cafe", "--at", "soon"), "is no moment"),
        (("bar",), "known: cafe"),
        (("--alias", "canary"), "known: live"),
        (("cafe", "--alias", "canary"), "known: live"),
    ],
)
def test_a_question_without_an_answer_says_what_to_ask_instead(hier, town, arguments, said):
    answer = hier("audit", "live", *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert "→" in answer.err


def test_a_platform_that_has_published_nothing_says_what_to_run(hier, tmp_path, monkeypatch):
    town = Town(tmp_path)
    monkeypatch.setenv("HIER_HOME", str(town.home.root.parent))
    for about in ((), ("cafe",)):
        answer = hier("audit", "live", *about, "--domains", town.declaration)
        assert answer.code == 2
        assert "there is nothing of the platform 'town'" in answer.err
        assert "hier run" in answer.err


def test_a_domain_that_was_not_published_by_then_is_named_beside_those_that_were(hier, town):
    town.publish("bar set", domain="bar")
    answer = hier("audit", "live", "--at", "2026-03-03")
    assert answer.code == 0
    assert "bar: nothing yet" in answer.out
