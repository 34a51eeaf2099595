"""Structure: components, isolated nodes, hubs and odd ids, judged by what domains.yaml declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hier_dag.config.graph import GraphParams
from hier_dag.graph.csr import IntArray
from hier_dag.graph.relations import NodeType, Relation
from schemas.graph_contract.ids import look_alikes, mistaken_items
from schemas.graph_contract.view import SHOWN, GraphView
from schemas.validate import Failure

FEW_EDGES = 1000
"""Below so many edges of a relation no node is called a hub: one of twenty edges is 5 % of them."""


@dataclass(frozen=True)
class Structure:
    """What a graph looks like as a whole.

    Attributes:
        failures: what is beyond a declared limit or odd, with counts.
        facts: figures worth knowing whether or not a limit is near, JSON-serialisable.
    """

    failures: list[Failure]
    facts: dict[str, Any]


def structure(view: GraphView, profile: Mapping[str, Any], params: GraphParams) -> Structure:
    """Judges a graph of sound integrity as a whole.

    Args:
        view: the staged graph.
        profile: as `hier_dag.graph.profile.profile` gives it.
        params: declared limits.

    Returns:
        Failures `small_giant_component` (counts the nodes outside it), `hub` (a relation and side each,
        counts nodes), `look_alike`, `item_is_user` and `item_is_entity`.
    """
    components = profile["components"]
    failures = [*_giant(profile, params.min_giant_share), *_hubs(view, params.max_hub_share)]
    failures += look_alikes(view) + mistaken_items(view)
    facts = {
        **{name: components[name] for name in ("count", "giant_share")},
        "isolated": profile["isolated"],
        "bridges": profile["bridges"],
        "limits": {"min_giant_share": params.min_giant_share, "max_hub_share": params.max_hub_share},
    }
    return Structure(failures, facts)


def _giant(profile: Mapping[str, Any], least: float) -> Iterator[Failure]:
    components = profile["components"]
    nodes = sum(profile["nodes"].values())
    # The share in the profile is rounded; what is compared is not.
    if nodes and components["giant_nodes"] < least * nodes:
        shown = (f"{components['giant_nodes']} of {nodes} nodes in the largest of {components['count']}",)
        outside = nodes - components["giant_nodes"]
        yield Failure("components", None, "small_giant_component", outside, shown)


def _hubs(view: GraphView, most: float) -> Iterator[Failure]:
    for relation in view.relations.values():
        if relation.csr.nnz < FEW_EDGES:
            continue
        sides: list[tuple[str, NodeType, IntArray]] = [("from", relation.source, relation.out_degrees)]
        if not relation.both_ways:
            sides.append(("to", relation.target, relation.in_degrees))
        for side, kind, degrees in sides:
            yield from _hubs_on(view, relation, side, kind, degrees, most)


def _hubs_on(
    view: GraphView, relation: Relation, side: str, kind: NodeType, degrees: IntArray, most: float
) -> Iterator[Failure]:
    hubs = np.flatnonzero(degrees > most * relation.csr.nnz)
    if len(hubs):
        hubs = hubs[np.argsort(-degrees[hubs], kind="stable")]
        shown = tuple(f"{view.name(kind, int(n))}: {degrees[n]} edges" for n in hubs[:SHOWN])
        yield Failure(relation.name, side, "hub", len(hubs), shown)
