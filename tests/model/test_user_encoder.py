import pytest
import torch

from hier_dag.model.user_encoder import UserEncoder

HISTORY = {0: [0, 1], 1: [1, 2, 3], 2: [0]}


@pytest.fixture
def encoder(view):
    torch.manual_seed(0)
    encoder = UserEncoder(view, 4)
    encoder.ids.data.normal_()
    return encoder


def test_each_pair_is_encoded_from_the_rest_of_its_history(encoder):
    content = torch.randn(6, 4)
    known = content + encoder.ids.detach()
    users, items = torch.tensor([1, 0, 1]), torch.tensor([2, 0, 1])
    want = torch.stack([known[[1, 3]].mean(0), known[1], known[[2, 3]].mean(0)])
    torch.testing.assert_close(encoder.leave_one_out(content, users, items).detach(), want)


def test_the_positive_never_reaches_its_own_history(encoder):
    content = torch.randn(6, 4, requires_grad=True)
    encoder.leave_one_out(content, torch.tensor([1]), torch.tensor([2])).sum().backward()
    assert content.grad[2].abs().max() < 1e-6
    assert encoder.ids.grad[2].abs().max() < 1e-6
    assert content.grad[1].abs().sum() > 0


def test_a_pair_without_other_history_is_encoded_as_the_mean_of_the_batch(encoder):
    content = torch.randn(6, 4)
    p = encoder.leave_one_out(content, torch.tensor([2, 0, 1]), torch.tensor([0, 0, 1]))
    torch.testing.assert_close(p[0], p[1:].mean(0))


def test_scoring_uses_the_whole_history_and_the_global_mean_without_one(encoder):
    content = torch.randn(6, 4)
    known = (content + encoder.ids).detach()
    each = torch.stack([known[items].mean(0) for items in HISTORY.values()])
    mean = encoder.mean(content).detach()
    torch.testing.assert_close(mean, each.mean(0))
    got = encoder(content, torch.tensor([3, 1, 0, 2]), mean).detach()
    torch.testing.assert_close(got, torch.stack([mean, each[1], each[0], each[2]]))
