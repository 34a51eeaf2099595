"""Everything of a platform that has something of users, whatever the domain and however it came there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from ibis.backends.duckdb import Backend

from hier_dag.erasure.erased import Erased
from hier_dag.erasure.grades import Grade, Grades, Known
from hier_dag.errors import StoreError
from hier_dag.pipeline.workshop import Workshop
from hier_dag.store.local import open_folder
from hier_dag.store.shelves import Shelves


@dataclass(frozen=True)
class Reached:
    """An artifact that holds or learnt of users.

    Attributes:
        digest: of it.
        kind: of it.
        partition: its domain or cell; None without one.
        grade: of whom.
    """

    digest: str
    kind: str
    partition: str | None
    grade: Grade

    def as_json(self) -> dict[str, object]:
        """What a receipt says of it: how many users, and none by name."""
        return {
            "digest": self.digest,
            "kind": self.kind,
            "partition": self.partition,
            "grade": self.grade.word,
            "holds": len(self.grade.holds),
            "learnt": len(self.grade.learnt),
        }


def reach(con: Backend, workshop: Workshop, erased: Erased) -> list[Reached]:
    """Every artifact in the store that has something of erased users, by kind, partition and digest.

    Those that no registry knows, which a process left that ended too early, are looked at like all others.

    Args:
        con: the engine.
        workshop: the store and the registry.
        erased: who was erased.
    """
    shelves = Shelves(workshop.store.root)
    present = {a.digest: a for a in shelves.look()}

    def look(digest: str) -> Known | None:
        a = present.get(digest)
        if a is not None:
            with suppress(StoreError):
                stored = open_folder(a.path, digest)  # unlike the store's `open`, it is no use of it
                return Known(a.kind, stored.manifest.parents, stored)
        row = workshop.registry.artifact(digest)
        return None if row is None else Known(row.kind, row.manifest["parents"], None)

    grades = Grades(con, erased, look)
    found = [Reached(a.digest, a.kind, a.partition, grades.of(a.digest)) for a in present.values()]
    touched = [r for r in found if r.grade.word is not None]
    return sorted(touched, key=lambda r: (r.kind, r.partition or "", r.digest))


def by_user(reached: list[Reached]) -> Mapping[str, dict[str, str]]:
    """Grade of each artifact by digest, for every user by id."""
    table: dict[str, dict[str, str]] = {}
    for r in reached:
        for user, word in _words(r.grade):
            table.setdefault(user, {})[r.digest] = word
    return table


def _words(grade: Grade) -> Iterator[tuple[str, str]]:
    yield from ((user, "holds") for user in grade.holds)
    yield from ((user, "learnt") for user in grade.learnt)
