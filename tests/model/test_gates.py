import math

import pytest
import torch

from hier_dag.model.gates import CLOSED_BELOW, HardConcrete


@pytest.fixture
def gates():
    torch.manual_seed(0)
    return HardConcrete(3, 4)


def test_test_gate_follows_the_formula_and_is_exactly_zero_from_the_bound_down(gates):
    gates.eval()
    for log_alpha in (-5.0, CLOSED_BELOW - 1e-4, -1.0, 0.0, 2.0, 5.0):
        gates.log_alpha.data.fill_(log_alpha)
        naive = min(1.0, max(0.0, 1.2 / (1 + math.exp(-log_alpha)) - 0.1))
        torch.testing.assert_close(gates(), torch.full((3, 4), naive), atol=1e-6, rtol=0)
        assert (gates() == 0).all() == (log_alpha <= CLOSED_BELOW)
    assert pytest.approx(-2.398, abs=1e-3) == CLOSED_BELOW


def test_sampled_gates_open_as_often_as_they_say(gates):
    gates.log_alpha.data = torch.linspace(-3, 3, 12).view(3, 4)
    share = torch.stack([gates() > 0 for _ in range(4000)]).float().mean(0)
    torch.testing.assert_close(share, gates.open_probability().detach(), atol=0.03, rtol=0)


def test_penalty_alone_closes_every_gate(gates):
    optimizer = torch.optim.Adam(gates.parameters(), lr=0.1)
    assert gates.open_share() == 1
    for _ in range(60):
        optimizer.zero_grad()
        gates.open_probability().mean().backward()
        optimizer.step()
    assert gates.open_share() == 0
    assert (gates.eval()() == 0).all()


def test_samples_stay_between_exact_zero_and_one_and_carry_gradient(gates):
    z = torch.stack([gates() for _ in range(200)])
    assert z.min() == 0
    assert z.max() == 1
    z.sum().backward()
    assert gates.log_alpha.grad.abs().sum() > 0
