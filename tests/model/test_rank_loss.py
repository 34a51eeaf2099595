import math

import torch

from hier_dag.model.rank_loss import bpr, sampled_softmax


def drawn(rows=3, sampled=4, dim=2, views=2, dtype=torch.float32):
    """Arguments of the loss: query, own, own_bias, sampled, sampled_bias."""
    torch.manual_seed(0)
    shapes = [(views, rows, dim), (rows, dim), (rows,), (sampled, dim), (sampled,)]
    return [torch.randn(*shape, dtype=dtype, requires_grad=True) for shape in shapes]


def test_sampled_softmax_equals_a_loop_that_skips_collisions():
    arguments = drawn()
    query, own, own_bias, sampled, sampled_bias = (a.tolist() for a in arguments)
    got = sampled_softmax(*arguments, torch.tensor([[1, 2], [1, 3]])).detach()
    for v in range(2):
        for r in range(3):
            dot = lambda a, b: sum(x * y for x, y in zip(a, b, strict=True))  # noqa: E731
            positive = math.exp(dot(query[v][r], own[r]) + own_bias[r])
            rivals = [
                math.exp(dot(query[v][r], sampled[c]) + sampled_bias[c])
                for c in range(4)
                if (r, c) not in ((1, 2), (1, 3))
            ]
            assert abs(float(got[v, r]) + math.log(positive / (positive + sum(rivals)))) < 1e-5


def test_a_row_whose_negatives_all_collide_costs_nothing():
    loss = sampled_softmax(*drawn(rows=1, sampled=2), torch.tensor([[0, 0], [0, 1]]))
    assert loss.abs().max() == 0


def test_scores_far_beyond_what_an_exponential_can_hold_stay_finite():
    arguments = [a.detach() * 300 for a in drawn()]
    assert torch.isfinite(sampled_softmax(*arguments, torch.zeros(0, 2, dtype=torch.int64))).all()


def test_bpr_equals_a_loop():
    positive, negative = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 3.0])
    pairs = zip(positive.tolist(), negative.tolist(), strict=True)
    want = sum(-math.log(1 / (1 + math.exp(n - p))) for p, n in pairs)
    assert abs(float(bpr(positive, negative)) - want / 2) < 1e-6


def test_gradients_pass_gradcheck():
    collides = torch.tensor([[0, 1], [2, 0], [2, 3]])
    assert torch.autograd.gradcheck(
        lambda *arguments: sampled_softmax(*arguments, collides), drawn(dtype=torch.float64)
    )
    positive, _, _, negatives, _ = drawn(dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda p, n: bpr(p[0, :, 0], n[:3, 0]), (positive, negatives))
