import math

import torch

from hier_dag.model.rank_loss import bpr, sampled_softmax


def test_sampled_softmax_equals_a_loop_that_skips_collisions():
    torch.manual_seed(0)
    positive, negatives = torch.randn(3), torch.randn(3, 4)
    collides = torch.zeros(3, 4, dtype=torch.bool)
    collides[1, 2] = True
    want = 0.0
    for r in range(3):
        exp = [math.exp(negatives[r, c]) for c in range(4) if not collides[r, c]]
        want -= math.log(math.exp(positive[r]) / (math.exp(positive[r]) + sum(exp)))
    assert abs(float(sampled_softmax(positive, negatives, collides)) - want) < 1e-5


def test_a_row_whose_negatives_all_collide_costs_nothing():
    loss = sampled_softmax(torch.zeros(1), torch.zeros(1, 2), torch.ones(1, 2, dtype=torch.bool))
    assert loss == 0


def test_bpr_equals_a_loop():
    positive, negative = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 3.0])
    pairs = zip(positive.tolist(), negative.tolist(), strict=True)
    want = sum(-math.log(1 / (1 + math.exp(n - p))) for p, n in pairs)
    assert abs(float(bpr(positive, negative)) - want / 2) < 1e-6


def test_gradients_pass_gradcheck():
    torch.manual_seed(0)
    positive = torch.randn(3, dtype=torch.float64, requires_grad=True)
    negatives = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    collides = torch.rand(3, 4) < 0.3
    assert torch.autograd.gradcheck(lambda p, n: sampled_softmax(p, n, collides), (positive, negatives))
    assert torch.autograd.gradcheck(lambda p, n: bpr(p, n[:, 0]), (positive, negatives))
