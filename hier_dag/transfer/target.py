"""A target as the encoder alone sees it: its vectors and its predicted popularity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray, IntArray
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.model.encoding import TRAINED, Encoding
from hier_dag.transfer.sides import Sides, make_sides

_BLOCK_ENTRIES = 1 << 20
_FLOOR = 1e-6  # share of the uniform distribution in the prior: keeps its logarithm finite


@dataclass(frozen=True)
class Target:
    """Zero-shot vectors of one domain's users and items.

    Attributes:
        domain: its name.
        users: int64 [n], graph.audience[domain].
        items: int64 [m], graph.catalogue[domain].
        q: float32 [n, d], user vectors.
        z: float32 [m, d], item vectors.
        bias: float32 [m], b_i.
        user_origin: int8 [n].
        item_origin: int8 [m].
        log_prior: float64 [m], log pi_i: popularity that the encoder predicts (hier.md, eq. f).
        sides: tastes, decision paths and entity profiles, where the formulation encodes them.
    """

    domain: str
    users: IntArray
    items: IntArray
    q: FloatArray
    z: FloatArray
    bias: FloatArray
    user_origin: NDArray[np.int8]
    item_origin: NDArray[np.int8]
    log_prior: NDArray[np.float64]
    sides: Sides | None = None


def make_target(graph: KnowledgeGraph, encoding: Encoding, domain: str) -> Target:
    """Cuts a domain out of an encoding and predicts its popularity; reads no interaction of it."""
    users, items = graph.audience[domain], graph.catalogue[domain]
    q, z, bias = encoding.users[users], encoding.items[items], encoding.item_bias[items]
    origin = encoding.user_origin[users]
    known = q[origin == TRAINED]
    return Target(
        domain=domain,
        users=users,
        items=items,
        q=q,
        z=z,
        bias=bias,
        user_origin=origin,
        item_origin=encoding.item_origin[items],
        log_prior=log_predicted_popularity(known if len(known) else q, z, bias),
        sides=make_sides(encoding, users, items),
    )


def log_predicted_popularity(
    q: FloatArray, z: FloatArray, bias: FloatArray, block_entries: int = _BLOCK_ENTRIES
) -> NDArray[np.float64]:
    """Predicted log popularity: log pi_i = log mean_u softmax_i(q_u · z_i + b_i) (hier.md, eq. f).

    Args:
        q: float32 [n, d], users with history. Without any, pi is uniform.
        z: float32 [m, d].
        bias: float32 [m].
        block_entries: scores held in memory at once (at least one user's).

    Returns:
        float64 [m]; a floor of 1e-6 of the uniform distribution keeps it finite.
    """
    m = len(z)
    total = np.zeros(m)
    step = max(1, block_entries // max(1, m))
    for start in range(0, len(q) if m else 0, step):
        scores = q[start : start + step] @ z.T + bias
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        total += (1.0 / scores.sum(axis=1, dtype=np.float64)) @ scores
    share = total / len(q) if len(q) else np.full(m, 1.0 / max(1, m))
    return np.log((1.0 - _FLOOR) * share + _FLOOR / max(1, m))
