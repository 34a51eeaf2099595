"""Item residuals on top of the few-shot head, fitted by softmax over the catalogue, every pair left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from hier_dag.graph.csr import CSR, FloatArray, IntArray, from_coo
from hier_dag.transfer.fine_tune import threads_for
from hier_dag.transfer.shots import Shots
from hier_dag.transfer.term import Term

_MASKED = -1e9  # finite: a catalogue of one item masks all, and -inf there has no gradient
_LOGITS_AT_ONCE = 1 << 22
_COLUMNS = 8_192  # larger catalogues are sampled, anew at every step


def fit_residuals(
    parts: Sequence[tuple[Term, float]],
    names: Sequence[str],
    shots: Shots,
    *,
    epochs: int,
    learning_rate: float,
    batch_size: int,
    seed: int,
) -> dict[str, FloatArray]:
    """δ_i of some terms' item vectors: s(u, i) = Σ_t w_t term_t(u, i) + Σ_named users_t[u] · δ_ti.

    Each pair is predicted against the catalogue (of more than 8,192 items, a uniform sample of so many and
    the step's own) less the user's other few-shot items; every term scores it with the pair left out, so
    that δ learns what the terms miss and not what they hold already. Starts at zero and stops after fixed
    epochs. Deterministic by seed; no validation or test data. Beyond the sample's size the softmax costs the
    same however large the catalogue is; Adam's update of δ still grows with it.

    Args:
        parts: all terms of the score with their weights.
        names: terms whose items get a residual.
        shots: few-shot pairs, at least one.
        epochs: passes over the pairs.
        learning_rate: of Adam.
        batch_size: pairs a step; fewer where the catalogue is large.
        seed: shuffles the pairs and draws the samples.

    Returns:
        By name, float32 [m, D_term].
    """
    named = [term for term, _ in parts if term.name in names]
    x = torch.from_numpy(np.hstack([term.users for term in named]))
    delta = torch.nn.Parameter(torch.zeros(shots.n_items, x.shape[1]))
    optimizer = torch.optim.Adam([delta], lr=learning_rate)
    known = from_coo(shots.user, shots.item, len(x), shots.n_items)
    rng = np.random.default_rng(seed)
    ranked = min(shots.n_items, _COLUMNS)
    step = max(1, min(batch_size, _LOGITS_AT_ONCE // max(1, ranked)))
    with threads_for(step * ranked):
        for _ in range(epochs):
            order = rng.permutation(len(shots.user))
            for start in range(0, len(order), step):
                pairs = order[start : start + step]
                user, item = shots.user[pairs], shots.item[pairs]
                columns = _columns(rng, shots.n_items, item)
                place = np.searchsorted(columns, item)
                logits = torch.from_numpy(_left_out(parts, pairs, user, place, columns))
                logits = logits + x[user] @ delta[torch.from_numpy(columns)].T
                hidden = _others(known, user, item, columns)
                logits = logits.index_put(hidden, logits.new_tensor(_MASKED))
                optimizer.zero_grad(set_to_none=True)
                torch.nn.functional.cross_entropy(logits, torch.from_numpy(place)).backward()
                optimizer.step()
    widths = np.cumsum([term.users.shape[1] for term in named])[:-1]
    blocks = np.split(delta.detach().numpy(), widths, axis=1)
    return {term.name: block for term, block in zip(named, blocks, strict=True)}


def _columns(rng: np.random.Generator, n_items: int, item: IntArray) -> IntArray:
    """Items that a step ranks, ascending int64: all, or a uniform sample with the step's own.

    A step's own items are each other's rivals whether drawn or not, as in-batch negatives are.
    """
    if n_items <= _COLUMNS:
        return np.arange(n_items)
    return np.union1d(rng.choice(n_items, _COLUMNS, replace=False), item)


def _left_out(
    parts: Sequence[tuple[Term, float]], pairs: IntArray, user: IntArray, item: IntArray, columns: IntArray
) -> FloatArray:
    total = np.zeros((len(pairs), len(columns)), np.float32)
    for term, weight in parts:
        if weight:
            total += np.float32(weight) * term.left_out(pairs, user, item, columns)
    return total


def _others(
    known: CSR, user: IntArray, item: IntArray, columns: IntArray
) -> tuple[torch.Tensor, torch.Tensor]:
    """Where a pair's user holds other few-shot items: (rows, places in `columns`)."""
    count = known.degrees()[user]
    row = np.repeat(np.arange(len(user)), count)
    entry = np.arange(len(row)) + np.repeat(known.indptr[user] - (np.cumsum(count) - count), count)
    held = known.indices[entry]
    place = np.minimum(np.searchsorted(columns, held), len(columns) - 1)
    other = (held != item[row]) & (columns[place] == held)
    return torch.from_numpy(row[other]), torch.from_numpy(place[other])
