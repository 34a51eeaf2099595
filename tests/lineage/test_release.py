"""Why a version is in force: who moved it, gates, what people decided before it went live and since."""

from datetime import UTC, datetime, timedelta

import pytest

from hier_dag.lineage.release import release_of
from hier_dag.publish.reader.records import VersionRecord
from hier_dag.registry import CheckRow, Move


@pytest.fixture
def sets(works):
    """Two sets of one domain with their models, the first of them live."""
    first, second = works.line("cafe", [("a.csv", "1" * 64)]), works.line("cafe", [("b.csv", "2" * 64)])
    return works, first, second


def released(works, row, model):
    record = VersionRecord(
        "cafe", "live", row.version, row.digest, row.action, row.change, None, row.who, row.why, "", row.facts
    )
    return release_of(works.registry, record, model)


def move(works, made, **how):
    return works.registry.move_alias(
        Move("cafe", "live", made["publish/embeddings"], "run", "nightly", **how)
    )


def test_waivers_and_approvals_are_told_with_whether_they_held(sets):
    works, first, second = sets
    model, published = first["finetune/model"], first["publish/embeddings"]
    works.registry.decide(
        "cafe", "waiver", model, why="a launch", until=datetime.now(UTC) + timedelta(days=2)
    )
    works.registry.decide("cafe", "waiver", "*", why="over already", until=datetime(2026, 1, 1, tzinfo=UTC))
    works.registry.decide("cafe", "waiver", second["finetune/model"], why="of another model")
    row = move(works, first, change="first")
    works.registry.decide("cafe", "pin", published, why="an audit")
    told = released(works, row, model)
    assert (told["who"], told["why"], told["change"], told["restores"]) == (row.who, "nightly", "first", None)
    assert told["event"] == row.event
    assert [(d["why"], d["held_then"]) for d in told["decisions"]] == [
        ("an audit", False), ("over already", False), ("a launch", True),
    ]  # fmt: skip


def test_gates_are_told_as_they_last_answered(sets):
    works, first, _ = sets
    artifact = works.store.open("publish/embeddings", first["publish/embeddings"])
    for passed in (False, True):
        checks = [CheckRow("transfer_gate", passed, {"message": "m", "waiver": "me: a launch"})]
        works.registry.note_checks(artifact, [*checks, CheckRow("coverage", True)], run_id="run")
    (gate,) = released(works, move(works, first), first["finetune/model"])["gates"]
    assert gate == {
        "name": "transfer_gate",
        "passed": True,
        "facts": {"message": "m", "waiver": "me: a launch"},
    }


def test_a_roll_back_names_what_it_restores_and_every_version_of_the_set(sets):
    works, first, second = sets
    move(works, first)
    move(works, second)
    row = move(works, first, action="rollback", facts={"restores": 1})
    told = released(works, row, first["finetune/model"])
    assert (told["action"], told["restores"], told["version"]) == ("rollback", 1, 3)
    assert [v["version"] for v in told["versions"]] == [1]


def test_a_version_that_the_registry_lost_is_told_by_its_record_alone(sets):
    works, first, _ = sets
    record = VersionRecord(
        "cafe", "live", 7, first["publish/embeddings"], "publish", "same", None, "me", "w", "2026"
    )
    told = release_of(works.registry, record, None)
    assert (told["version"], told["at"], told["event"]) == (7, "2026", None)
