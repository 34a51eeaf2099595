"""What a transfer and a published set take in is what the stage before each let out."""

from __future__ import annotations

from collections.abc import Sequence

from hier_dag.conservation import LEDGER, Flow, agree, came_out, flows_of
from hier_dag.graph.pairs import PAIRS_TO_SPLIT
from hier_dag.pipeline.stages import GRAPH, MODEL, PUBLISHED
from hier_dag.store import Artifact
from hier_dag.transfer.flows import AUDIENCE_TO_VECTORS, CATALOGUE_TO_VECTORS, PAIRS_TO_SHOTS


def check_transferred(flows: Sequence[Flow], graph: Artifact, domain: str) -> None:
    """Compares a transfer's training pairs with those that the graph's split gave the domain.

    Args:
        flows: of the transfer.
        graph: the graph that was transferred on.
        domain: the target.

    Raises:
        ContractError: naming the domain and both counts.
    """
    given = came_out(_flows(graph), PAIRS_TO_SPLIT, "pairs", domain, to="training")
    agree([f for f in flows if f.step == PAIRS_TO_SHOTS], {domain: given}, f"{GRAPH} → {MODEL}")


def check_published(flows: Sequence[Flow], model: Artifact, domain: str) -> None:
    """Compares a published set's users and items with the vectors that the transfer made.

    Args:
        flows: of the published set.
        model: the transfer that it is made of.
        domain: the target.

    Raises:
        ContractError: naming the domain and both counts.
    """
    made = _flows(model)
    for unit, step in (("users", AUDIENCE_TO_VECTORS), ("items", CATALOGUE_TO_VECTORS)):
        expected: dict[str | None, int] = {domain: came_out(made, step, unit, domain)}
        agree([f for f in flows if f.unit == unit], expected, f"{unit} of {MODEL} → {PUBLISHED}")


def _flows(artifact: Artifact) -> list[Flow]:
    return flows_of(artifact.json(LEDGER), str(artifact.file(LEDGER)))
