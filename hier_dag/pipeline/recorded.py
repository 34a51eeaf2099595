"""What manifests say of a declaration, read without the engine."""

from __future__ import annotations

from typing import Any

from hier_dag.store import Manifest


def domains_of(graph: Manifest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Source and target domains of a graph, in the order in which they were declared."""
    roles = graph.params["domains"]
    source, target = (
        tuple(d for d in graph.params.get("order", roles) if roles[d]["role"] == role)
        for role in ("source", "target")
    )
    return source, target


def transfer_params(params: dict[str, Any]) -> dict[str, Any]:
    """Of a model's parameters, those of transfer itself: what the gate would do is none."""
    return {name: value for name, value in params.items() if name != "gates"}
