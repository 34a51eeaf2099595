"""What was committed gets its row and its checks, though the registry stayed away or the process ended."""

import os
import shutil
import threading
from contextlib import contextmanager

import pytest

from hier_dag.errors import RegistryError
from hier_dag.pipeline.outbox import PENDING, noted
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.take_up import (
    ADOPTED,
    DAMAGED,
    HELD,
    NOTHING,
    ON_RECORD,
    RECONCILED,
    STAYS,
    take_up,
)
from hier_dag.pipeline.workshop import Built, Refused, Workshop
from hier_dag.registry import CheckRow, Registry
from hier_dag.registry.connection import make_engine
from hier_dag.store import ArtifactStore
from tests.denied import denied

REQUEST = Request("raw/events", "food", "1", {"a": 1})
NAMES = ["contract", "row_schema"]


@pytest.fixture
def registry(tmp_path):
    return Registry(f"sqlite:///{tmp_path / 'r.db'}")


@pytest.fixture
def store(tmp_path):
    return ArtifactStore(tmp_path / "store")


def build(_, staged):
    (staged / "data").write_text("rows")
    return Built(checks=[CheckRow("row_schema", True, {"mean": float("nan")})])


def never(*_):
    raise AssertionError("it is built again")


@contextmanager
def locked(registry):
    """Somebody else holds the registry."""
    engine = make_engine(registry.url, timeout=5).execution_options(writes=True)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE events IN EXCLUSIVE MODE")
        yield
    engine.dispose()


def unrecorded(store, registry):
    """Makes an artifact whose row the registry did not take in time; gives its digest."""
    hasty = Workshop(store, Registry(registry.url, 0.2))
    with locked(registry), pytest.raises(RegistryError, match="could not be used"):
        hasty.make(REQUEST, build, run_id="r1")
    (digest,) = noted(store.root).held
    assert registry.artifact(digest) is None
    return digest


def test_whoever_opens_a_workshop_next_puts_it_on_record_with_its_checks(store, registry):
    digest = unrecorded(store, registry)
    workshop = Workshop(store, registry)
    row = registry.artifact(digest)
    assert (row.run_id, row.seconds > 0) == ("r1", True)
    checks = registry.checks(digest)
    assert [c.name for c in checks] == [*NAMES, RECONCILED]
    assert checks[1].facts == {"mean": "NaN"}
    assert checks[2].facts["who"]
    assert not noted(store.root).held
    assert workshop.make(REQUEST, never, run_id="r2").reused


def test_a_registry_that_is_still_away_keeps_the_note_for_the_next_one(store, registry):
    digest = unrecorded(store, registry)
    with locked(registry):
        Workshop(store, Registry(registry.url, 0.2))
    assert noted(store.root).held == {digest: False}
    assert [t.outcome for t in take_up(store, registry)] == [ADOPTED]


def test_the_rows_of_a_refused_ingest_are_noted_too(store, registry):
    def refused(_, staged):
        (staged / "quarantine").mkdir()
        (staged / "quarantine" / "rows").write_text("bad")
        (staged / "ledger.json").write_text("{}")
        return Built(checks=[CheckRow("row_schema", False, {"count": 3})])

    request = Request("raw/events", "food", "1", {"a": 2}, kept_as="raw/refused")
    with pytest.raises(Refused):
        Workshop(store, registry).make(request, refused, run_id="r1")
    assert not noted(store.root).held
    assert registry.latest("raw/refused", "food") is not None


def test_nothing_is_left_of_a_note_once_its_row_is_there(store, registry):
    Workshop(store, registry).make(REQUEST, build, run_id="r1")
    assert not list((store.root / PENDING).iterdir())


def test_a_note_whose_row_was_written_is_only_removed(store, registry):
    digest = unrecorded(store, registry)
    (note,) = (store.root / PENDING).iterdir()
    told = note.read_bytes()
    Workshop(store, registry)
    events = registry.head().seq
    note.write_bytes(told)
    assert [(t.outcome, t.digest) for t in take_up(store, registry)] == [(ON_RECORD, digest)]
    assert registry.head().seq == events


@pytest.mark.parametrize(
    ("harm", "outcome"),
    [
        (lambda note, folder: shutil.rmtree(folder), NOTHING),
        (lambda note, folder: note.write_bytes(note.read_bytes()[:20]), NOTHING),
        (lambda note, folder: (folder / "data").write_text("rowz"), DAMAGED),
        (lambda note, folder: note.write_text(note.read_text().replace("raw/events", "../../etc")), NOTHING),
    ],
    ids=["never committed", "torn note", "damaged artifact", "a kind that leads out of the store"],
)
def test_a_note_vouches_for_nothing_that_is_not_whole(store, registry, harm, outcome):
    digest = unrecorded(store, registry)
    (note,) = (store.root / PENDING).iterdir()
    harm(note, store.path_of("raw/events", digest))
    assert [t.outcome for t in take_up(ArtifactStore(store.root), registry)] == [outcome]
    assert registry.count() == 0
    assert not noted(store.root).held


def test_the_note_of_a_process_at_work_is_left_alone(store, registry):
    seen = []

    def while_it_waits():
        while not noted(store.root).held:
            pass
        seen.extend(take_up(store, Registry(registry.url, 0.2)))

    other = threading.Thread(target=while_it_waits)
    with locked(registry):
        other.start()
        with pytest.raises(RegistryError):
            Workshop(store, Registry(registry.url, 1)).make(REQUEST, build, run_id="r1")
        other.join()
    assert [t.outcome for t in seen] == [HELD]


def odd_notes(folder):
    """What is no note under a note's name, before and after every other by name."""
    for name in ("000-x.json", "zzz-x.json"):
        (folder / name).mkdir()
    os.mkfifo(folder / "001-x.json")


def test_one_bad_note_keeps_no_other_waiting_and_is_told(store, registry, caplog):
    digest = unrecorded(store, registry)
    odd_notes(store.root / PENDING)
    assert list(noted(store.root).held) == [digest]
    assert [error.file[-10:] for error in noted(store.root).unread] == [
        "000-x.json",
        "001-x.json",
        "zzz-x.json",
    ]
    Workshop(store, registry)
    assert registry.artifact(digest) is not None
    assert len(caplog.records) == 3
    assert "000-x.json: it cannot be read: it is no plain file Fix: " in caplog.text
    assert [(t.digest, t.outcome) for t in take_up(store, registry)] == [
        ("000", STAYS),
        ("001", STAYS),
        ("zzz", STAYS),
    ]


@pytest.mark.parametrize("what", ["note", "artifact", "file"])
def test_what_cannot_be_read_stays_for_later_and_the_message_says_reading(store, registry, what):
    digest = unrecorded(store, registry)
    (note,) = (store.root / PENDING).iterdir()
    artifact = store.path_of("raw/events", digest)
    path = {"note": note, "artifact": artifact, "file": artifact / "data"}[what]
    with denied(path):
        (taken,) = take_up(ArtifactStore(store.root), registry)
    assert (taken.outcome, taken.digest) == (STAYS, digest)
    assert f"file {path}" in taken.why
    assert "it cannot be read: Permission denied" in taken.why
    assert [t.outcome for t in take_up(ArtifactStore(store.root), registry)] == [ADOPTED]


def test_a_folder_of_notes_that_cannot_be_read_keeps_no_workshop_from_opening(store, registry, caplog):
    digest = unrecorded(store, registry)
    with denied(store.root / PENDING):
        Workshop(store, registry)
    assert "it cannot be read: Permission denied" in caplog.text
    assert noted(store.root).held == {digest: False}
