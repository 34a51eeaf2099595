"""Artifacts that hold erased users and that nothing in force was made from any more: they go.

A clean-up keeps them longer: sets that a roll-back may need stay, with everything that they were made from.
What is in force keeps its evidence until it has been trained anew.
"""

from __future__ import annotations

from collections.abc import Sequence

from hier_dag.erasure.erased import Erased
from hier_dag.erasure.forget import NOT_NEEDED
from hier_dag.erasure.grades import HOLDS
from hier_dag.erasure.places import UNLEARNT
from hier_dag.erasure.reach import Reached
from hier_dag.pipeline.workshop import Workshop
from hier_dag.registry import Registry


def superseded(workshop: Workshop, erased: Erased, reached: Sequence[Reached]) -> list[Reached]:
    """Those of some artifacts that need not stay.

    Args:
        workshop: the store and the registry.
        erased: everybody who was erased.
        reached: artifacts that have something of erased users.
    """
    needed = made_of(
        workshop.registry, {head.digest for head in workshop.registry.all_aliases(every_platform=True)}
    )
    holding = [r for r in reached if r.grade.word == HOLDS and r.digest not in needed]
    return [r for r in holding if r.kind in NOT_NEEDED or _made_anew(workshop, erased, r)]


def made_of(registry: Registry, digests: set[str]) -> set[str]:
    """Some artifacts and all that they learnt of."""
    found, left = set(digests), list(digests)
    while left:
        parents = registry.parents(left.pop())
        new = {parent for role, parent in parents.items() if role not in UNLEARNT} - found
        found |= new
        left += new
    return found


def _made_anew(workshop: Workshop, erased: Erased, reached: Reached) -> bool:
    newest = workshop.registry.latest(reached.kind, reached.partition)
    if newest is None or newest == reached.digest:
        return False
    return workshop.erasures.words(erased, [newest])[newest] is None
