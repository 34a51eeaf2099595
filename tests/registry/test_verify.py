"""Whoever changes the registry is found out: by the chain, its rows, anchors and signatures."""

import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from benchmarks.faults.tampering import filled, trials
from hier_dag.errors import ConfigError, RegistryError, UsageError
from hier_dag.registry import CheckRow, Move, Registry
from hier_dag.registry.anchors import Anchor, append_anchor, note_anchor, noted_anchors, read_anchors
from hier_dag.registry.chain import GENESIS
from hier_dag.registry.guards import guard, unguard
from hier_dag.registry.log import _warn
from hier_dag.registry.signing import public_key
from hier_dag.registry.verify import verify_log
from hier_dag.retention.history import up_to
from tests.databases import of_sqlite, registry_url


@pytest.fixture
def registry(either, tmp_path):
    return filled(either, tmp_path, rounds=4)


@pytest.fixture
def light(tmp_path):
    return filled(registry_url(tmp_path / "registry.db"), tmp_path, rounds=2)


def tamper(registry, statement, **values):
    with registry._engine.begin() as connection:
        unguard(connection)
        connection.execute(text(statement), values)
        guard(connection)


def test_an_untouched_registry_verifies_and_each_event_follows_the_one_before(registry):
    verdict = verify_log(registry)
    assert verdict.problems == []
    assert verdict.events == registry.head().seq == len(registry.events())
    assert verdict.head == registry.head()
    assert registry.events()[0].prev == GENESIS


def test_random_changes_of_any_table_are_all_found(registry):
    tried, found, missed = trials(registry, 150, seed=11)
    assert missed == []
    assert tried == found
    assert {"edit", "deletion", "insertion", "reordering", "cut", "rewritten"} == set(tried)


def test_a_problem_says_which_event_which_table_and_what_was_expected(light):
    tamper(light, "UPDATE decisions SET why = 'never mind' WHERE event = (SELECT max(event) FROM decisions)")
    (problem,) = verify_log(light).problems
    assert (problem.what, problem.table) == ("changed row", "decisions")
    assert problem.seq == light.decisions()[0].event
    assert "why is 'never mind', the event says 'audit 1'" in problem.told


@of_sqlite
def test_what_no_column_can_hold_is_told_too(light):
    tamper(light, "UPDATE events SET at = 'long ago', entry = '{' WHERE seq = 3")
    assert {p.seq for p in verify_log(light).problems if p.table == "events"} >= {3, 4}


def test_the_database_itself_refuses_to_change_the_log(registry):
    for statement in ("UPDATE events SET who = 'x' WHERE seq = 1", "DELETE FROM events"):
        with pytest.raises(DBAPIError, match="append-only"), registry._engine.begin() as connection:
            connection.execute(text(statement))


def test_facts_that_are_redacted_are_gone_and_the_chain_still_holds(registry, tmp_path):
    registry.record_failure(
        "raw/events", "cafe", "k", [CheckRow("contract", False, {"row": ["ann@ex.org", "tea"]})], run_id="r"
    )
    named = registry.details_naming("ann@ex.org")
    assert len(named) == 1
    before = registry.head()
    registry.redact(named, why="erasure")
    assert registry.details_naming("ann@ex.org") == []
    assert registry.failures("raw/events")[0]["facts"] == {"redacted": True}
    assert verify_log(registry, anchors=[Anchor(before.seq, before.hash, "", "a letter")]).problems == []


def test_facts_that_vanish_without_a_redaction_are_missed(light):
    tamper(light, "UPDATE details SET body = NULL WHERE body LIKE '%share%'")
    assert {p.what for p in verify_log(light).problems} == {"detail"}


def test_an_anchor_in_a_file_shows_a_cut_that_leaves_no_other_trace(light, tmp_path):
    file = tmp_path / "anchors" / "city.jsonl"
    append_anchor(file, light.head())
    light.redact([], why="nothing")
    append_anchor(file, light.head())
    assert verify_log(light, anchors=read_anchors(file)).problems == []
    tamper(light, "DELETE FROM events WHERE seq = :seq", seq=light.head().seq)
    assert verify_log(light).problems == []
    (problem,) = verify_log(light, anchors=read_anchors(file)).problems
    assert problem.what == "anchor"
    assert "city.jsonl:2 knows event" in problem.told
    assert "cut off" in problem.told


def test_an_anchor_in_a_git_note_does_so_too(light, tmp_path):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    with pytest.raises(UsageError, match="Git refuses"):
        note_anchor(tmp_path, light.head())
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "config", "user.name", "a"], check=True)
    subprocess.run([*git, "config", "user.email", "a@b.c"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    assert noted_anchors(tmp_path) == []
    for _ in range(2):
        commit = note_anchor(tmp_path, light.head())
        light.decide("cafe", "pin", "d", why="w")
    anchors = noted_anchors(tmp_path)
    assert [a.seq for a in anchors] == [light.head().seq - 2, light.head().seq - 1]
    assert commit[:12] in anchors[0].where
    assert verify_log(light, anchors=anchors).problems == []


def test_a_file_that_holds_no_anchors_is_refused(tmp_path):
    (tmp_path / "a").write_text('{"seq": "1"}\n')
    with pytest.raises(UsageError, match=r"a:1.*no anchor"):
        read_anchors(tmp_path / "a")
    with pytest.raises(UsageError, match="no anchors can be read"):
        read_anchors(tmp_path / "b")


@pytest.fixture
def keys(tmp_path, monkeypatch):
    pytest.importorskip("cryptography", reason="needs the extra sign")
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    def make(name):
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
        public = key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / f"{name}.pem").write_bytes(private)
        (tmp_path / f"{name}.pub").write_bytes(public)
        return tmp_path / f"{name}.pem", tmp_path / f"{name}.pub"

    return make


def test_signed_events_hold_for_the_public_key_alone(keys, tmp_path, monkeypatch):
    private, public = keys("own")
    _, strange = keys("strange")
    monkeypatch.setenv("HIER_SIGNING_KEY", str(private))
    registry = filled(registry_url(tmp_path / "signed.db"), tmp_path, rounds=2)
    verdict = verify_log(registry, keys=dict([public_key(public)]))
    assert (verdict.problems, verdict.signed, verdict.signed_up_to) == ([], verdict.events, verdict.events)
    assert {p.what for p in verify_log(registry, keys=dict([public_key(strange)])).problems} == {"signature"}
    tamper(registry, "UPDATE events SET signature = '00' WHERE seq = 2")
    assert [(p.what, p.seq) for p in verify_log(registry, keys=dict([public_key(public)])).problems] == [
        ("signature", 2)
    ]


def test_events_that_a_process_without_the_key_appended_are_told(keys, tmp_path, monkeypatch):
    private, public = keys("own")
    monkeypatch.setenv("HIER_SIGNING_KEY", str(private))
    registry = Registry(registry_url(tmp_path / "signed.db"))
    registry.decide("cafe", "pin", "d", why="signed")
    monkeypatch.delenv("HIER_SIGNING_KEY")
    registry.decide("cafe", "pin", "d", why="not signed")
    (problem,) = verify_log(registry, keys=dict([public_key(public)])).problems
    assert (problem.what, problem.seq) == ("signature", 2)
    assert verify_log(registry).problems == []


def test_a_key_that_is_none_is_told_before_anything_is_written(keys, tmp_path, monkeypatch):
    (tmp_path / "bad.pem").write_text("no key")
    registry = Registry(registry_url(tmp_path / "signed.db"))
    for file in ("bad.pem", "absent.pem"):
        monkeypatch.setenv("HIER_SIGNING_KEY", str(tmp_path / file))
        with pytest.raises(ConfigError, match=rf"{file}.*no Ed25519 key"):
            registry.decide("cafe", "pin", "d", why="w")
    assert registry.head().seq == 0


def test_signing_that_began_later_vouches_for_what_was_before(keys, tmp_path, monkeypatch):
    private, public = keys("own")
    registry = Registry(registry_url(tmp_path / "later.db"))
    registry.decide("cafe", "pin", "d", why="before there was a key")
    known = dict([public_key(public)])
    (problem,) = verify_log(registry, keys=known).problems
    assert problem.told == "no event is signed by any of the keys"
    monkeypatch.setenv("HIER_SIGNING_KEY", str(private))
    registry.decide("cafe", "pin", "d", why="signed")
    verdict = verify_log(registry, keys=known)
    assert (verdict.problems, verdict.signed, verdict.signed_up_to) == ([], 1, 2)


def test_an_anchor_of_an_empty_log_holds_for_ever(tmp_path):
    registry = Registry(registry_url(tmp_path / "new.db"))
    anchor = Anchor(0, GENESIS, "", "an anchor")
    assert verify_log(registry, anchors=[anchor]).problems == []
    registry.decide("cafe", "pin", "d", why="w")
    assert verify_log(registry, anchors=[anchor]).problems == []


@of_sqlite
def test_an_event_without_a_number_is_told_and_the_rest_is_read(light):
    tamper(light, "UPDATE events SET seq = 'x' WHERE seq = 3")
    tamper(light, "UPDATE decisions SET why = 'other' WHERE event = (SELECT max(event) FROM decisions)")
    problems = verify_log(light).problems
    assert any("'x' for a number" in p.told for p in problems)
    assert ("changed row", "decisions") in {(p.what, p.table) for p in problems}


@of_sqlite
def test_a_registry_that_may_not_be_written_can_still_be_asked(light, tmp_path, monkeypatch):
    with sqlite3.connect(light.url.removeprefix("sqlite:///")) as there:
        there.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
    monkeypatch.setattr("hier_dag.registry.connection.os.access", lambda *_: False)
    backup = Registry(f"sqlite:///{tmp_path / 'backup.db'}")
    assert verify_log(backup).problems == []
    assert backup.head() == light.head()
    with pytest.raises(RegistryError, match="readonly"):
        backup.decide("cafe", "pin", "d", why="w")


class Clock(datetime):
    """A clock that stands where a test puts it."""

    stands = datetime(2026, 3, 2, 12, tzinfo=UTC)

    @classmethod
    def now(cls, tz=None):
        return cls.stands.astimezone(tz)


@pytest.fixture
def clock(monkeypatch):
    """The registry's clock, which stands until a test moves it."""
    monkeypatch.setattr("hier_dag.registry.log.datetime", Clock)
    _warn.cache_clear()
    monkeypatch.setattr(Clock, "stands", Clock.stands)
    return Clock


def move(registry, digest):
    return registry.move_alias(Move("cafe", "live", digest * 64, "", "w"))


def test_a_clock_that_went_back_changes_no_answer_about_the_past(either, clock, caplog):
    registry = Registry(either, platform="city")
    first = move(registry, "a")
    clock.stands += timedelta(hours=1)
    second = move(registry, "b")
    clock.stands -= timedelta(days=1)
    third = move(registry, "c")
    assert "clock is 1440 minutes behind the registry's newest event" in caplog.text
    clock.stands += timedelta(days=1, seconds=1)
    fourth = move(registry, "d")
    assert third.created_at == second.created_at
    assert fourth.created_at == clock.stands
    history = registry.alias_history("cafe")
    assert up_to(history, first.created_at + timedelta(minutes=30))[0].version == 1
    assert up_to(history, second.created_at)[0].version == 3
    assert [row.version for row in history] == [4, 3, 2, 1]
    verdict = verify_log(registry)
    assert (verdict.problems, verdict.remarks) == ([], [])


def test_a_log_whose_times_go_back_is_told_by_event_and_is_not_called_forged(either, clock, monkeypatch):
    registry = Registry(either, platform="city")
    move(registry, "a")
    monkeypatch.setattr("hier_dag.registry.log._time_of", lambda *_: None)  # as it was once written
    clock.stands -= timedelta(days=1)
    gone_back = move(registry, "b")
    clock.stands += timedelta(days=2)
    move(registry, "c")
    verdict = verify_log(registry)
    assert verdict.problems == []
    (remark,) = verdict.remarks
    assert remark.startswith("the time of 1 event(s) is before that of the event before: ")
    assert f"event {gone_back.event}, 1 day, 0:00:00 earlier (2026-03-01T12:00:00.000000+00:00)" in remark


def test_many_events_whose_times_go_back_are_counted_and_the_first_ones_named(light, clock, monkeypatch):
    monkeypatch.setattr("hier_dag.registry.log._time_of", lambda *_: None)
    for n in range(12):
        clock.stands += timedelta(hours=1 if n % 2 else -1)
        for _ in range(2):
            clock.stands -= timedelta(minutes=1)
            light.decide("cafe", "pin", "d", why="w")
    (remark,) = verify_log(light).remarks
    told = int(remark.split()[3])
    assert told > 10
    assert remark.count(" earlier (") == 10
    assert f"; and {told - 10} more. " in remark
