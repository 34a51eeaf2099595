"""Whether an encoder is collapsing: what its vectors and decision paths look like at an epoch's end."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from hier_dag.model.decision_path import DecisionPaths
from hier_dag.model.formulation import Formulation

EXEMPLAR_ENTROPY, VIEW_COSINE = "exemplar_entropy", "view_cosine"
USER_RANK, ITEM_RANK = "user_rank", "item_rank"
MONITORS = (EXEMPLAR_ENTROPY, VIEW_COSINE, USER_RANK, ITEM_RANK)
"""What `measure` gives, beside the share of open paths, which every epoch's record holds anyway."""

SAMPLE = 512
"""Users and items looked at, at most; the same in every epoch."""


@torch.no_grad()
def measure(model: Formulation, seed: int) -> dict[str, float]:
    """Monitors of a model in evaluation mode, each in [0, 1] but for the cosine, in [-1, 1].

    `exemplar_entropy` and `view_cosine` are of the decision paths, and not there without them. `user_rank`
    and `item_rank` are effective ranks divided by d, of q_u = h_u + h̃_u and of the vectors that they meet;
    not there for fewer rows than d, which say nothing about how many of d directions are in use.

    Nothing is drawn from torch's random state, so that a training that is measured goes on as one that is
    not. The model comes back in the mode it was in.

    Args:
        model: on any device.
        seed: seeds the sample: at most `SAMPLE` users with source history and as many trained items.
    """
    view, paths, rng = model.view, model.paths, np.random.default_rng(seed)
    users = _sample(view.users_with_history(), rng).to(paths.intents.device)
    items = _sample(view.trained_items(), rng).to(paths.intents.device)
    was_training = model.training
    model.eval()
    h = model.user_encoder()(users)
    out = {}
    if paths.enabled:
        out[EXEMPLAR_ENTROPY] = exemplar_entropy(paths, h)
        out[VIEW_COSINE] = view_cosine(h, paths(h))
    for name, vectors in ((USER_RANK, model.query(h)), (ITEM_RANK, model.encode_items()[0][items])):
        if len(vectors) >= vectors.shape[1]:
            out[name] = effective_rank(vectors) / vectors.shape[1]
    model.train(was_training)
    return out


def view_cosine(original: Tensor, enhanced: Tensor) -> float:
    """Mean cosine of both views of a user, mean_u cos(h_u, h̃_u); 1 where paths change no direction.

    1 also where one is not finite.

    Args:
        original: h, float32 [n, d], at least one row.
        enhanced: h̃, float32 [n, d].
    """
    return float(F.cosine_similarity(original.double(), enhanced.double()).mean().nan_to_num(1.0))


def exemplar_entropy(paths: DecisionPaths, users: Tensor) -> float:
    """How evenly exemplars are used: H(m) / log K, in [0, 1].

    m_k ∝ mean_u Σ_p a_up·Z_pk·w_pk, the mass that users' intents send to exemplar k through its gated weight
    (hier.md, literal 4). 1 where all K are used alike, also where there is one alone; 0 where one takes
    everything, and where all gates are closed.

    Args:
        paths: in evaluation mode.
        users: h_u, float32 [n, d], at least one.
    """
    gates = paths.gates()
    mass = (paths.attention(users).mean(0) @ (gates * paths.weights(gates))).double()
    total, kinds = mass.sum(), len(mass)
    if not total > 0:  # NaN included
        return 0.0
    return 1.0 if kinds == 1 else _entropy(mass / total) / math.log(kinds)


def effective_rank(vectors: Tensor) -> float:
    """Along how many directions vectors spread: exp(-Σ p_i log p_i), p_i = σ_i / Σσ of singular values σ.

    From 1, where all are multiples of one, to min(n, d), where all directions weigh alike; 0 where every
    vector is zero or one is not finite. Roy & Vetterli 2007, "The effective rank: a measure of effective
    dimensionality", definition 1. The vectors are not centred: a common part that dwarfs what tells them
    apart is a collapse too.

    Args:
        vectors: float [n, d].
    """
    # In float64 on the CPU: the same figures whatever device trains.
    x = vectors.detach().double().cpu()
    if not (torch.isfinite(x).all() and x.any()):
        return 0.0
    sigma = torch.linalg.svdvals(x)
    return math.exp(_entropy(sigma / sigma.sum()))


def _entropy(shares: Tensor) -> float:
    """-Σ p log p of non-negative shares that sum to 1; rounding below 0 or -0 is 0."""
    return max(0.0, float(torch.special.entr(shares).sum()))


def _sample(there: NDArray[np.bool_], rng: np.random.Generator) -> Tensor:
    """Ascending numbers of at most `SAMPLE` of those that are there, int64."""
    numbers = np.flatnonzero(there)
    some = rng.choice(numbers, SAMPLE, replace=False) if len(numbers) > SAMPLE else numbers
    return torch.from_numpy(np.sort(some))
