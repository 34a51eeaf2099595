"""Fine-tuning of the few-shot head by full-catalogue softmax, the encoder frozen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from hier_dag.graph.csr import CSR, from_coo
from hier_dag.transfer.closed_form import few_shot_origin
from hier_dag.transfer.head import Head, HeadState
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.shots import Shots
from hier_dag.transfer.target import Target
from hier_dag.transfer.vectors import FINE_TUNED, DomainVectors, checked

_MASKED = -1e9  # finite: a catalogue of one item masks all, and -inf there has no gradient
_LOGITS_AT_ONCE = 1 << 22  # 16 MB of float32; a larger step accumulates its gradient over parts


def fine_tune(
    target: Target, shots: Shots, params: TransferParams, seed: int
) -> tuple[DomainVectors, HeadState]:
    """Trains the head on few-shot interactions for a fixed number of epochs (hier.md, eq. g).

    Each pair is predicted against the whole catalogue less the user's other few-shot items, with the pair
    left out of n_i and T_i. Leaving it out of p_u does not arise: p_u is made of source items
    only, and no interaction of the target is one. Deterministic by seed; no validation or test data.

    Args:
        target: zero-shot vectors and predicted popularity.
        shots: few-shot interactions, at least one.
        params: epochs, learning rate, batch size, kappa and start of the scalars.
        seed: shuffles the interactions.

    Returns:
        Users [q | q̂ | 1] and items as `Head.item_matrix` has them, and the head's state.
    """
    with threads_for(params.finetune_batch_size * shots.n_items):
        return _fit(target, shots, params, seed)


def _fit(target: Target, shots: Shots, params: TransferParams, seed: int) -> tuple[DomainVectors, HeadState]:
    head = Head(target, shots, params.kappa, params.lift_weight, params.visitor_weight)
    optimizer = torch.optim.Adam(head.parameters(), lr=params.finetune_learning_rate)
    own = from_coo(shots.user, shots.item, len(target.users), shots.n_items)
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        users = head.user_matrix()
    for _ in range(params.finetune_epochs):
        order = rng.permutation(len(shots.user))
        for start in range(0, len(order), params.finetune_batch_size):
            optimizer.zero_grad(set_to_none=True)
            _backward(head, users, own, shots, order[start : start + params.finetune_batch_size])
            optimizer.step()
    with torch.no_grad():
        items = head.item_matrix().numpy()
    vectors = DomainVectors(
        users=target.users,
        user_vectors=users.numpy(),
        user_origin=target.user_origin,
        items=target.items,
        item_vectors=items,
        item_origin=few_shot_origin(target, shots.counts()),
        method=FINE_TUNED,
    )
    return checked(vectors, target.domain), head.state()


@contextmanager
def threads_for(logits: int) -> Iterator[None]:
    """One thread for steps of a few milliseconds: threads then wait for one another longer than they work.

    Args:
        logits: scores that a step makes.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1 if logits <= _LOGITS_AT_ONCE else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _backward(head: Head, users: torch.Tensor, own: CSR, shots: Shots, batch: np.ndarray) -> None:
    part = max(1, _LOGITS_AT_ONCE // shots.n_items)
    for start in range(0, len(batch), part):
        pairs = batch[start : start + part]
        loss = pair_losses(head, users, own, shots.user[pairs], shots.item[pairs]).sum() / len(batch)
        loss.backward()


def pair_losses(
    head: Head, users: torch.Tensor, own: CSR, user: np.ndarray, item: np.ndarray
) -> torch.Tensor:
    """Cross-entropy of each pair against the catalogue less the user's other few-shot items, float32 [b].

    Args:
        head: the head.
        users: float32 [n, D], `head.user_matrix()`.
        own: n × m CSR of few-shot interactions.
        user: int64 [b], positions of users.
        item: int64 [b], positions of items.
    """
    rows, positive = torch.from_numpy(user), torch.from_numpy(item)
    logits = users[rows] @ head.item_matrix().T
    target = logits.gather(1, positive[:, None]).squeeze(1) + head.leave_one_out(rows, positive)
    # The pair's own column is masked with the others and enters the denominator as left out.
    degree = own.indptr[user + 1] - own.indptr[user]
    owner = np.repeat(np.arange(len(user)), degree)
    entry = np.arange(len(owner)) + np.repeat(own.indptr[user] - (np.cumsum(degree) - degree), degree)
    known = (torch.from_numpy(owner), torch.from_numpy(own.indices[entry]))
    others = logits.index_put(known, logits.new_tensor(_MASKED)).logsumexp(1)
    return torch.logaddexp(others, target) - target
