"""What an artifact has of erased users: it holds them, or it learnt of their rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ibis.backends.duckdb import Backend

from hier_dag.erasure.erased import Erased
from hier_dag.erasure.places import RAW, UNLEARNT, places_of
from hier_dag.erasure.scan import Ids, held, held_by_number
from hier_dag.store import Artifact

HOLDS, LEARNT = "holds", "learnt"
"""The id or its vector is in an artifact's bytes; it was made from such an artifact, and holds neither."""
_NOBODY: Ids = frozenset()


@dataclass(frozen=True)
class Known:
    """An artifact that is on record.

    Attributes:
        kind: of it.
        parents: digest of each parent by role.
        stored: it, where it is in the store.
    """

    kind: str
    parents: Mapping[str, str]
    stored: Artifact | None


@dataclass(frozen=True)
class Grade:
    """Erased users of one artifact, by id.

    Attributes:
        holds: whose ids or vectors are in its bytes.
        learnt: of whose rows it was made, without holding them.
        unknown: whether it was made from something that is gone, so that it may have learnt of anybody.
    """

    holds: Ids = _NOBODY
    learnt: Ids = _NOBODY
    unknown: bool = False

    @property
    def word(self) -> str | None:
        """`holds`, `learnt`, or None where it has nothing of anybody."""
        return HOLDS if self.holds else LEARNT if self.learnt or self.unknown else None

    @property
    def users(self) -> Ids:
        """Everybody whom it holds or learnt of."""
        return self.holds | self.learnt


class Grades:
    """Grades artifacts, each once.

    Args:
        con: the engine.
        erased: who was erased.
        look: finds an artifact by its digest; None for one that is on no record.
    """

    def __init__(self, con: Backend, erased: Erased, look: Callable[[str], Known | None]) -> None:
        self._con = con
        self._erased = erased
        self._look = look
        self._found: dict[str, Grade] = {}

    def of(self, digest: str) -> Grade:
        """What an artifact has of the erased users."""
        if digest not in self._found:
            self._found[digest] = self._graded(self._look(digest))
        return self._found[digest]

    def _graded(self, known: Known | None) -> Grade:
        if known is None:
            return Grade(unknown=True)
        if known.kind in RAW:
            # Rows and nodes without a user are what they would be had that user never been.
            return Grade(unknown=True) if known.stored is None else Grade(self._held(known, known.stored))
        above = [self.of(parent) for role, parent in known.parents.items() if role not in UNLEARNT]
        holds = _NOBODY if known.stored is None else self._held(known, known.stored)
        learnt = frozenset[str]().union(*(grade.users for grade in above)) - holds
        return Grade(holds, learnt, any(grade.unknown for grade in above))

    def _held(self, known: Known, stored: Artifact) -> Ids:
        places, graph = places_of(known.kind), known.parents.get("graph")
        if graph is None or not (places.numbers or places.all_of_graph):
            return held(self._con, stored, self._erased)
        ids = self.of(graph).holds
        if places.all_of_graph:
            return ids
        nodes = self._look(graph)
        return _NOBODY if nodes is None or nodes.stored is None else held_by_number(stored, nodes.stored, ids)
