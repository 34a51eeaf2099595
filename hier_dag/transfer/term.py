"""A term of the few-shot score: an inner product, and what it becomes when a few-shot pair is left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hier_dag.graph.csr import FloatArray, IntArray


@dataclass(frozen=True)
class Term:
    """One addend of a domain's score: term(u, i) = users[u] · items[i].

    Attributes:
        name: what the term is, such as `popularity`.
        users: float32 [n, D].
        items: float32 [m, D].
        own: float32 [E], score of each few-shot pair's item with the pair itself left out; None where the
            pair never enters its own score.
        users_without: float32 [E, D], the user's row with the pair left out; None where it is `users`.
    """

    name: str
    users: FloatArray
    items: FloatArray
    own: FloatArray | None = None
    users_without: FloatArray | None = None

    def left_out(self, pairs: IntArray, user: IntArray, item: IntArray, columns: IntArray) -> FloatArray:
        """Scores of some few-shot pairs' users with each pair left out, float32 [b, c].

        Args:
            pairs: int64 [b], which few-shot pairs.
            user: int64 [b], their users' positions.
            item: int64 [b], their items as places in `columns`.
            columns: int64 [c], positions of the items that are scored.
        """
        rows = self.users[user] if self.users_without is None else self.users_without[pairs]
        scores = rows @ self.items[columns].T
        if self.own is not None:
            scores[np.arange(len(pairs)), item] = self.own[pairs]
        return scores
