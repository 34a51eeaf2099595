import math

import torch

from hier_dag.model.bottleneck_contrast import bottleneck_contrast
from hier_dag.model.contrast import info_nce
from hier_dag.model.exemplar_contrast import exemplar_contrast, exemplar_view
from hier_dag.model.hsic_bottleneck import hsic_bottleneck


def naive_info_nce(left, right, tau):
    def cosine(a, b):
        return float(a @ b / a.norm() / b.norm())

    total = 0.0
    for i in range(len(left)):
        exp = [math.exp(cosine(left[i], right[j]) / tau) for j in range(len(right))]
        total -= math.log(exp[i] / sum(exp))
    return total / len(left)


def test_info_nce_equals_a_loop():
    torch.manual_seed(0)
    left, right = torch.randn(4, 3), torch.randn(4, 3)
    assert abs(float(info_nce(left, right, 0.3)) - naive_info_nce(left, right, 0.3)) < 1e-5


def test_bottleneck_is_the_clamped_information_in_nats():
    torch.manual_seed(0)
    x, y = torch.randn(8, 16), torch.randn(8, 16)
    want = math.log(8) - naive_info_nce(x, x, 0.2)
    assert abs(float(bottleneck_contrast(x, x, 0.2)) - want) < 1e-5
    assert 0 < want < math.log(8)
    assert bottleneck_contrast(x, -x, 0.2) == 0
    assert bottleneck_contrast(x, y, 0.2) < bottleneck_contrast(x, x, 0.2)


def test_minimising_the_bottleneck_drives_views_apart_and_stops_at_independence():
    torch.manual_seed(0)
    original = torch.randn(16, 8)
    enhanced = (original + 0.01 * torch.randn(16, 8)).requires_grad_()
    optimizer = torch.optim.SGD([enhanced], lr=2.0)
    for _ in range(400):
        optimizer.zero_grad()
        loss = bottleneck_contrast(enhanced, original, 0.2)
        loss.backward()
        optimizer.step()
    assert loss < 0.05
    opposite = (-original).requires_grad_()
    bottleneck_contrast(opposite, original, 0.2).backward()
    assert opposite.grad.abs().sum() == 0


def test_exemplar_view_is_the_softmax_mixture():
    torch.manual_seed(0)
    entities, exemplars = torch.randn(3, 4), torch.randn(5, 4)
    for e, got in zip(entities, exemplar_view(entities, exemplars, 0.5), strict=True):
        weight = [math.exp(float(m @ e) / 0.5) for m in exemplars]
        want = sum(w / sum(weight) * m for w, m in zip(weight, exemplars, strict=True))
        torch.testing.assert_close(got, want)


def test_exemplar_contrast_is_low_when_exemplars_are_the_entities():
    entities = torch.eye(4) * 3
    assert exemplar_contrast(entities, entities, 0.2) < 0.1
    assert exemplar_contrast(entities, torch.ones(2, 4), 0.2) > 1


def test_gradients_pass_gradcheck():
    torch.manual_seed(0)
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    y = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, y: exemplar_contrast(x, y, 0.5), (x, y))
    assert torch.autograd.gradcheck(lambda x, y: info_nce(x, y, 0.5), (x, y))


def naive_hsic(x, y):
    def kernel(rows):
        unit = [row / row.norm() for row in rows]
        squared = [[float((a - b).square().sum()) for b in unit] for a in unit]
        width = sum(map(sum, squared)) / len(rows) ** 2
        return torch.tensor([[math.exp(-s / (2 * width)) for s in row] for row in squared])

    n = len(x)
    h = torch.eye(n) - torch.full((n, n), 1 / n)
    return float(torch.trace(kernel(x) @ h @ kernel(y) @ h)) / (n - 1) ** 2


def test_hsic_equals_its_definition_and_is_lower_for_independent_views():
    torch.manual_seed(0)
    x, y = torch.randn(24, 4), torch.randn(24, 4)
    assert abs(float(hsic_bottleneck(x, y)) - naive_hsic(x, y)) < 1e-6
    assert hsic_bottleneck(x, y) < hsic_bottleneck(x, x)
    assert hsic_bottleneck(x[:1], y[:1]) == 0


def test_minimising_hsic_drives_views_apart():
    torch.manual_seed(0)
    original = torch.randn(32, 4)
    enhanced = (original + 0.01 * torch.randn(32, 4)).requires_grad_()
    first = float(hsic_bottleneck(enhanced, original))
    optimizer = torch.optim.Adam([enhanced], lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        loss = hsic_bottleneck(enhanced, original)
        loss.backward()
        optimizer.step()
    assert loss < 0.2 * first
