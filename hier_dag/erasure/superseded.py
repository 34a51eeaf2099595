"""Artifacts that hold erased users and have been made anew without them: they go, whoever was made from them.

A clean-up keeps what is still in force with everything that it was made from. Here the other way round: what
holds somebody goes as soon as its kind and domain have a newer artifact that holds nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from hier_dag.erasure.erased import Erased
from hier_dag.erasure.forget import NOT_NEEDED
from hier_dag.erasure.grades import HOLDS
from hier_dag.erasure.reach import Reached
from hier_dag.pipeline.workshop import Workshop


def superseded(workshop: Workshop, erased: Erased, reached: Sequence[Reached]) -> list[Reached]:
    """Those of some artifacts that need not stay.

    Args:
        workshop: the store and the registry.
        erased: everybody who was erased.
        reached: artifacts that have something of erased users.
    """
    in_force = {head.digest for head in workshop.registry.all_aliases(every_platform=True)}
    holding = [r for r in reached if r.grade.word == HOLDS and r.digest not in in_force]
    return [r for r in holding if r.kind in NOT_NEEDED or _made_anew(workshop, erased, r)]


def _made_anew(workshop: Workshop, erased: Erased, reached: Reached) -> bool:
    newest = workshop.registry.latest(reached.kind, reached.partition)
    if newest is None or newest == reached.digest:
        return False
    return workshop.erasures.words(erased, [newest])[newest] is None
