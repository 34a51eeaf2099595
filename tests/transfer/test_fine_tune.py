import dataclasses

import numpy as np
import pytest
import torch

from hier_dag.graph.csr import from_coo
from hier_dag.model.encoding import TRAINED
from hier_dag.transfer import fine_tune as module
from hier_dag.transfer.closed_form import closed_form
from hier_dag.transfer.fine_tune import fine_tune, pair_losses
from hier_dag.transfer.head import Head, taste
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.shots import Shots, draw_shots
from hier_dag.transfer.target import make_target

PARAMS = TransferParams(finetune_epochs=3, finetune_batch_size=16, finetune_learning_rate=0.02)


@pytest.fixture
def target(platform):
    return make_target(*platform, "cafe")


@pytest.fixture
def shots(platform):
    return draw_shots(platform[0], "cafe", "all")


def trained_head(target, shots, seed=0):
    """A head with nothing at its starting value, so that every term of the score counts."""
    head = Head(target, shots, kappa=5.0, lift_weight=0.4, visitor_weight=0.7)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        head.alpha.fill_(0.8)
        head.delta.normal_(generator=generator)
        head.bias.normal_(generator=generator)
    return head


def naive_loss(head, target, shots, at):
    """Eq. (g) by the letter: n_i and T_i counted anew without the pair, other own items removed."""
    u, positive = shots.user[at], shots.item[at]
    keep = np.arange(len(shots.user)) != at
    known = target.user_origin == TRAINED
    unit = target.q - target.q[known].mean(axis=0)
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True) * known[:, None]
    scores = []
    for i in range(shots.n_items):
        if i != positive and ((shots.user == u) & (shots.item == i)).any():
            continue
        visitors = shots.user[keep & (shots.item == i)]
        mean = unit[visitors].mean(axis=0) if len(visitors) else np.zeros(unit.shape[1])
        s0 = target.q[u] @ target.z[i] + target.bias[i]
        score = (
            head.alpha.item() * np.log(len(visitors) + 5.0 * np.exp(target.log_prior[i]))
            + head.lift_weight.item() * (s0 - target.log_prior[i])
            + head.visitor_weight.item() * unit[u] @ mean
            + target.q[u] @ head.delta[i].detach().numpy()
            + head.bias[i].item()
        )
        scores.append((i == positive, score))
    own = next(score for is_positive, score in scores if is_positive)
    return np.log(sum(np.exp(score) for _, score in scores)) - own


def test_losses_leave_each_pair_out_exactly(target, shots):
    head = trained_head(target, shots)
    own = from_coo(shots.user, shots.item, 40, 20)
    batch = np.arange(0, len(shots.user), 5)
    got = pair_losses(head, head.user_matrix(), own, shots.user[batch], shots.item[batch])
    want = [naive_loss(head, target, shots, at) for at in batch]
    np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-4, atol=1e-4)


def test_a_user_without_history_or_alone_has_no_taste(target):
    unit = taste(target)
    assert not unit[target.user_origin != TRAINED].any()
    np.testing.assert_allclose(np.linalg.norm(unit[target.user_origin == TRAINED], axis=1), 1, atol=1e-5)
    alone = dataclasses.replace(target, q=target.q[-1:], user_origin=target.user_origin[-1:])
    assert not taste(alone).any()
    assert not taste(dataclasses.replace(target, user_origin=np.full_like(target.user_origin, 2))).any()


def test_gradients_match_finite_differences(target, shots):
    head = trained_head(target, shots).double()
    for name in ("q", "q_unit", "z", "log_counts", "log_counts_less_one", "offset", "counts", "visits"):
        setattr(head, name, getattr(head, name).double())
    own = from_coo(shots.user, shots.item, 40, 20)

    def loss(alpha, lift, visitor, delta, bias):
        values = dict(zip(("alpha", "lift_weight", "visitor_weight", "delta", "bias"),
                          (alpha, lift, visitor, delta, bias), strict=True))  # fmt: skip
        return torch.func.functional_call(
            _Losses(head, own, shots), {f"head.{k}": v for k, v in values.items()}, ()
        )

    inputs = [p.detach().clone().requires_grad_() for p in head.parameters()]
    assert torch.autograd.gradcheck(loss, inputs)


class _Losses(torch.nn.Module):
    def __init__(self, head, own, shots):
        super().__init__()
        self.head, self.own, self.shots = head, own, shots

    def forward(self):
        users = self.head.user_matrix()
        return pair_losses(self.head, users, self.own, self.shots.user[:6], self.shots.item[:6]).sum()


def test_an_untrained_head_is_the_closed_form(target, shots):
    head = Head(target, shots, kappa=100.0, lift_weight=0.5, visitor_weight=0.0)
    got = (head.user_matrix() @ head.item_matrix().T).detach().numpy()
    want = closed_form(target, shots, 100.0, 0.5).scorer()(np.arange(40))
    np.testing.assert_allclose(got, want, atol=1e-4)


def test_same_seed_same_vectors_whatever_the_gradient_is_accumulated_over(target, shots, monkeypatch):
    first, state = fine_tune(target, shots, PARAMS, seed=3)
    again, _ = fine_tune(target, shots, PARAMS, seed=3)
    other, _ = fine_tune(target, shots, PARAMS, seed=4)
    np.testing.assert_array_equal(first.item_vectors, again.item_vectors)
    assert not np.array_equal(first.item_vectors, other.item_vectors)
    assert set(state.scalars) == {"alpha", "lift_weight", "visitor_weight", "kappa"}
    monkeypatch.setattr(module, "_LOGITS_AT_ONCE", 60)
    parts, _ = fine_tune(target, shots, PARAMS, seed=3)
    np.testing.assert_allclose(parts.item_vectors, first.item_vectors, atol=1e-4)


def test_training_lowers_its_own_loss(target, shots):
    own = from_coo(shots.user, shots.item, 40, 20)
    head = Head(target, shots, PARAMS.kappa, PARAMS.lift_weight, PARAMS.visitor_weight)
    before = pair_losses(head, head.user_matrix(), own, shots.user, shots.item).mean().item()
    vectors, state = fine_tune(target, shots, dataclasses.replace(PARAMS, finetune_epochs=20), seed=0)
    with torch.no_grad():
        for name in ("alpha", "lift_weight", "visitor_weight"):
            getattr(head, name).fill_(state.scalars[name])
        head.delta.copy_(torch.from_numpy(state.delta))
        head.bias.copy_(torch.from_numpy(state.bias))
    np.testing.assert_allclose(head.item_matrix().detach().numpy(), vectors.item_vectors, atol=1e-5)
    after = pair_losses(head, head.user_matrix(), own, shots.user, shots.item).mean().item()
    assert after < before - 0.05


def test_a_catalogue_of_one_item_trains_to_finite_vectors(make_platform):
    graph, encoding = make_platform(n_users=1, n_target_items=1, n_cold=0, per_user=1)
    one = np.zeros(1, np.int64)
    vectors, _ = fine_tune(make_target(graph, encoding, "cafe"), Shots("all", one, one, 1), PARAMS, seed=0)
    assert np.isfinite(vectors.item_vectors).all()
