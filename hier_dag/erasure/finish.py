"""Goes on where erasures stand: sets in force, whoever was down, and what has been made anew by now."""

from __future__ import annotations

from ibis.backends.duckdb import Backend

from hier_dag.erasure.erased import erased_of, erasures
from hier_dag.erasure.flip import flip, tell_all
from hier_dag.erasure.forget import remove_old
from hier_dag.erasure.reach import reach
from hier_dag.erasure.superseded import superseded
from hier_dag.erasure.suppress import Suppression
from hier_dag.pipeline.policy import Policy
from hier_dag.pipeline.workshop import Workshop


def finish(con: Backend, workshop: Workshop, policy: Policy) -> list[str]:
    """Suppresses what came into force meanwhile, tells everybody again, removes what is not needed any more.

    Args:
        con: the engine.
        workshop: the store and the registry.
        policy: the platform's home, copies and sinks.

    Returns:
        Who could not be told, where sets are left, and what sinks still hold, in words.

    Raises:
        ConfigError: the platform's secret is gone.
    """
    erased = erased_of(workshop.registry, policy.home)
    if erased is None:
        return []
    newest = erasures(workshop.registry)[0].subject
    _, failed = flip(workshop, policy, Suppression(con, workshop, erased), newest)
    failed += tell_all(workshop, policy, workshop.registry.all_aliases())
    going = superseded(workshop, erased, reach(con, workshop, erased))
    artifacts = [(r.kind, r.partition or "", r.digest) for r in going]
    return failed + remove_old(con, workshop, policy, erased, artifacts, newest)
