"""A connection that breaks while a transaction ends: what was committed is not written twice."""

import sqlite3

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from hier_dag.registry import Move, Registry
from tests.databases import registry_url


@pytest.fixture
def registry(tmp_path):
    return Registry(registry_url(tmp_path / "registry.db"))


def lose_the_answer(registry, monkeypatch):
    """The next COMMIT is done, and its answer does not arrive."""
    left = [True]
    do_commit = registry._engine.dialect.do_commit

    def commit(connection):
        do_commit(connection)
        if left:
            left.clear()
            lost = sqlite3.OperationalError("the connection broke")
            raise OperationalError("COMMIT", {}, lost)

    monkeypatch.setattr(registry._engine.dialect, "do_commit", commit)


def test_a_decision_is_on_record_once(registry, monkeypatch):
    lose_the_answer(registry, monkeypatch)
    decision = registry.decide("cafe", "pin", "d", why="w")
    assert [d.event for d in registry.decisions()] == [decision.event]


def test_a_move_that_was_committed_is_told_as_done(registry, monkeypatch):
    registry.move_alias(Move("cafe", "live", "a", "", "w"))
    lose_the_answer(registry, monkeypatch)
    row = registry.move_alias(Move("cafe", "live", "b", "", "w", after=1))
    assert (row.version, row.digest) == (2, "b")
    assert len(registry.alias_history("cafe")) == 2


def test_a_transaction_that_was_not_committed_is_written_again(registry):
    left = [True]

    @event.listens_for(registry._engine, "commit")
    def fail(connection):
        if left:
            left.clear()
            raise OperationalError("COMMIT", {}, sqlite3.OperationalError("database is locked"))

    registry.decide("cafe", "pin", "d", why="w")
    assert len(registry.decisions()) == 1
