"""What was live when: days end in UTC, zones are heeded, and a moment without an answer says why."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hier_dag.errors import UsageError
from hier_dag.registry import AliasRow
from hier_dag.retention.history import history_of, moment_of, refuse_none, up_to

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def row(version, created_at):
    return AliasRow(
        "cafe", "live", version, f"{version}" * 64, "publish", "same", "", {}, "r", "me", "w", created_at
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-03-09", datetime(2026, 3, 9, 23, 59, 59, 999999, UTC)),
        ("2026-03-10", NOW),  # the day is not over
        ("2026-03-09T08:30", datetime(2026, 3, 9, 8, 30, tzinfo=UTC)),
        ("2026-03-09T08:30+02:00", datetime(2026, 3, 9, 6, 30, tzinfo=UTC)),
        ("2026-03-09 08:30:01Z", datetime(2026, 3, 9, 8, 30, 1, tzinfo=UTC)),
        ("2026-03-10T14:00+03:00", datetime(2026, 3, 10, 11, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_day_or_a_time(text, meant):
    assert moment_of(text, NOW) == meant


@pytest.mark.parametrize("text", ["2026-03-11", "2026-03-10T13:00", "9999-12-31", "2026-03-10T12:00-01:00"])
def test_the_future_is_refused(text):
    with pytest.raises(UsageError, match="is in the future"):
        moment_of(text, NOW)


@pytest.mark.parametrize("text", ["", "yesterday", "10.3.2026", "2026-02-30", "0001-01-01T00:00+14:00"])
def test_what_is_no_moment_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match=r"is no moment.*2026-03-31T12:00\+02:00"):
        moment_of(text, NOW)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=10), st.integers(0, 60))
def test_the_version_in_force_is_the_last_one_made_by_then(hours, at):
    """The naive reference walks through all moves from the oldest on."""
    since = datetime(2026, 1, 1, tzinfo=UTC)
    made = [row(n + 1, since + timedelta(hours=h)) for n, h in enumerate(sorted(hours))]
    moment = since + timedelta(hours=at)
    reference = None
    for one in made:
        if one.created_at <= moment:
            reference = one
    assert next(iter(up_to(made[::-1], moment)), None) == reference


def test_where_times_go_back_the_order_of_moves_is_what_holds():
    history = [row(3, NOW + timedelta(2)), row(2, NOW - timedelta(1)), row(1, NOW)]
    found = {days: [r.version for r in up_to(history, NOW + timedelta(days))] for days in (-0.5, 1, 3)}
    assert found == {-0.5: [], 1: [2, 1], 3: [3, 2, 1]}


def test_a_moment_before_the_first_version_says_when_that_was():
    with pytest.raises(UsageError, match="first version is of 2026-03-10 12:00:00 UTC"):
        refuse_none([[row(1, NOW)], [row(1, NOW + timedelta(1))]], NOW - timedelta(seconds=1))


def test_an_unknown_domain_or_alias_names_those_that_there_are(town):
    with pytest.raises(UsageError, match=r"nothing has been published yet"):
        history_of(town.registry, "cafe", "live", ("cafe",))
    town.publish("a")
    town.publish("b", alias="canary")
    assert [r.version for r in history_of(town.registry, "cafe", "live", ())] == [1]
    with pytest.raises(UsageError, match=r"no target domain is called 'bar'; known: cafe, pub"):
        history_of(town.registry, "bar", "live", ("cafe", "pub"))
    with pytest.raises(UsageError, match=r"no alias is called 'liv'; known: canary, live"):
        history_of(town.registry, "cafe", "liv", ("cafe",))
