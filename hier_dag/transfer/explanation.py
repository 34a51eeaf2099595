"""Why an item scores as it does for a user: every term, and the decision paths of one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hier_dag.errors import ContractError
from hier_dag.graph.csr import FloatArray
from hier_dag.model.interactions import InteractionEncoding
from hier_dag.transfer.dual_head import dual_groups, weighted_terms
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.shots import Shots
from hier_dag.transfer.target import Target
from hier_dag.transfer.vectors import FINE_TUNED, DomainVectors

PATHS, LEARNED, CONSTANT, ZERO_SHOT = "paths", "learned", "constant", "zero_shot"
_TOLERANCE = 1e-3  # float32 sums of some hundred products; terms are of order 1 to 10


@dataclass(frozen=True)
class PathShare:
    """What one decision path adds to a score: intent p → exemplar k → item i."""

    intent: int
    exemplar: int
    value: float


@dataclass(frozen=True)
class Explanation:
    """A published score, taken apart.

    Attributes:
        score: of the published vectors.
        terms: what each term adds, by name; they sum to the score. `learned` is what fine-tuning's item
            corrections add, `zero_shot` all of it where no interaction of the target is known.
        paths: every path that adds something, the largest first; they sum to terms["paths"].
    """

    score: float
    terms: dict[str, float]
    paths: tuple[PathShare, ...]


def explain(
    target: Target,
    encoding: InteractionEncoding,
    shots: Shots,
    params: TransferParams,
    published: DomainVectors,
    scales: Mapping[str, float],
    user: int,
    item: int,
) -> Explanation:
    """Takes the score of a user and an item of a target apart. Reads, and changes nothing.

    Args:
        target: of the encoder that the vectors were made from, with its sides.
        encoding: the same encoder's.
        shots: the few-shot pairs that were published; may be empty.
        params: those that transfer had.
        published: the vectors that transfer made.
        scales: the head's scale of each group, as published; empty for zero-shot.
        user: position in the audience.
        item: position in the catalogue.

    Raises:
        ContractError: the parts do not sum to the published score, so that they are of another transfer.
    """
    score = float(published.user_vectors[user] @ published.item_vectors[item])
    if target.sides is None or len(shots.user) == 0 or not scales:
        return Explanation(score, {ZERO_SHOT: score}, ())
    groups = dual_groups(target, target.sides, shots, params)
    parts = weighted_terms(groups, scales)
    terms = {term.name: weight * float(term.users[user] @ term.items[item]) for term, weight in parts}
    shares: tuple[PathShare, ...] = ()
    for term, weight in parts:
        if term.name == PATHS:
            a = encoding.intents[target.users[user]]
            shares = path_shares(a, encoding.paths, np.float32(weight) * term.items[item])
    if abs(sum(s.value for s in shares) - terms.get(PATHS, 0.0)) > _TOLERANCE:
        raise _others(target.domain, "decision paths")
    # `checked` may have lifted all items alike, which moves no rank.
    constant = float(published.item_vectors[item, -1])
    if constant:
        terms[CONSTANT] = constant
    rest = score - sum(terms.values())
    if abs(rest) > _TOLERANCE:
        if published.method != FINE_TUNED:
            raise _others(target.domain, "terms")
        terms[LEARNED] = rest
    return Explanation(score, terms, shares)


def path_shares(intents: FloatArray, paths: FloatArray, strength: FloatArray) -> tuple[PathShare, ...]:
    """a_up·φ_pk·s_k of every open path, the largest in absolute value first; O(P·K).

    Args:
        intents: a_u, float32 [P].
        paths: φ, float32 [P, K].
        strength: s, float32 [K], of the item along each exemplar.
    """
    value = intents[:, None].astype(np.float64) * paths * strength
    intent, exemplar = np.nonzero(value)
    found = value[intent, exemplar]
    order = np.argsort(-np.abs(found), kind="stable")
    return tuple(PathShare(int(intent[n]), int(exemplar[n]), float(found[n])) for n in order)


def _others(domain: str, what: str) -> ContractError:
    return ContractError(
        f"the {what} do not sum to the published score.",
        domain=domain,
        fix="the vectors are of another code version: transfer and publish again (hier run)",
    )
