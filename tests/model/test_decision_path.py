import math

import pytest
import torch

from hier_dag.model.decision_path import DecisionPaths


@pytest.fixture
def paths():
    torch.manual_seed(0)
    paths = DecisionPaths(3, 5, 4, temperature=0.5).eval()
    paths.intents.data.normal_()
    paths.exemplars.data.normal_()
    paths.gates.log_alpha.data.uniform_(-4, 3)
    return paths


def naive_mixture(paths, gates, p):
    score = [math.exp(paths.intents[p] @ m / 2.0) for m in paths.exemplars]
    total = 1e-8 + sum(float(gates[p, k]) * score[k] for k in range(5))
    return sum(gates[p, k] * (gates[p, k] * score[k] / total) * paths.exemplars[k] for k in range(5))


def test_users_follow_the_equations(paths):
    gates = paths.gates()
    assert (gates == 0).any()
    users = torch.randn(2, 4)
    want = []
    for h in users:
        a = torch.softmax(torch.stack([c @ h / 0.5 for c in paths.intents]), 0)
        want.append(h + sum(a[p] * (paths.intents[p] + naive_mixture(paths, gates, p)) for p in range(3)))
    torch.testing.assert_close(paths(users), torch.stack(want))


def test_a_closed_path_hides_its_exemplar(paths):
    paths.gates.log_alpha.data[:, 2] = -10
    users = torch.randn(2, 4)
    before = paths(users)
    paths.exemplars.data[2] += 5
    torch.testing.assert_close(paths(users), before)


def test_an_intent_with_every_path_closed_stands_alone(paths):
    paths.gates.log_alpha.data[:] = -10
    assert paths.mixtures(paths.gates()).abs().sum() == 0
    assert torch.isfinite(paths(torch.randn(2, 4))).all()


def test_gradients_pass_gradcheck(paths):
    paths = paths.double()
    users = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(paths, (users,))
    loss = paths(users).square().sum()
    loss.backward()
    for parameter in (paths.intents, paths.exemplars, paths.gates.log_alpha):
        assert parameter.grad.abs().sum() > 0
