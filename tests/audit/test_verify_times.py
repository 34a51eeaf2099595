"""A log from before times were kept in order: verification names the events and finds nothing forged."""

import json
from datetime import UTC, datetime, timedelta

import pytest


class Yesterday(datetime):
    """A clock that is a day behind."""

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) - timedelta(days=1)


@pytest.fixture
def gone_back(own, monkeypatch):
    """A platform with one decision that was written under such a clock, as it once could be."""
    with monkeypatch.context() as then:
        then.setattr("hier_dag.registry.log._time_of", lambda *_: None)
        then.setattr("hier_dag.registry.log.datetime", Yesterday)
        own.registry.decide("grocery", "pin", own.registry.alias("grocery").digest, why="w")
    own.registry.decide("grocery", "unpin", own.registry.alias("grocery").digest, why="w")
    return own


def test_events_whose_times_go_back_are_named_and_the_platform_is_sound(gone_back, hier):
    event = gone_back.registry.head().seq - 1
    code, out, err = hier("audit", "verify", "--fast", "--domains", gone_back.domains)
    assert code == 0, err
    assert "Odd: the time of 1 event(s) is before that of the event before: " in out
    assert f"event {event:,}, " in out
    assert "Sound." in out
    told = json.loads(hier("audit", "verify", "--fast", "--domains", gone_back.domains, "--json").out)
    assert (told["sound"], len(told["remarks"])) == (True, 1)


def test_what_is_decided_under_a_clock_that_is_behind_is_no_earlier_than_what_was_before(
    own, hier, monkeypatch
):
    live = own.registry.alias("grocery")
    monkeypatch.setattr("hier_dag.registry.log.datetime", Yesterday)
    assert hier("alias", "grocery", "canary", "--why", "w").code == 0
    assert own.registry.alias("grocery", "canary").created_at >= live.created_at
    assert live.created_at > datetime.now(UTC) - timedelta(days=1)
    told = json.loads(hier("audit", "verify", "--fast", "--domains", own.domains, "--json").out)
    assert (told["sound"], told["remarks"]) == (True, [])
