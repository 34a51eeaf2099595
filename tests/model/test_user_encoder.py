import pytest
import torch

from hier_dag.model.user_encoder import UserEncoder, without_own

HISTORY = {0: [0, 1], 1: [1, 2, 3], 2: [0]}


@pytest.fixture
def encoder(view):
    torch.manual_seed(0)
    encoder = UserEncoder(view, 4)
    encoder.ids.data.normal_()
    return encoder


def test_scoring_uses_the_whole_history_and_the_global_mean_without_one(encoder):
    content = torch.randn(6, 4)
    known = encoder.known(content)
    torch.testing.assert_close(known, content + encoder.ids)
    each = torch.stack([known[items].mean(0) for items in HISTORY.values()]).detach()
    mean = encoder.mean(known).detach()
    torch.testing.assert_close(mean, each.mean(0))
    got = encoder(known, torch.tensor([3, 1, 0, 2]), mean).detach()
    torch.testing.assert_close(got, torch.stack([mean, each[1], each[0], each[2]]))


def test_what_is_left_is_a_mean_and_a_pair_that_leaves_nothing_gets_the_mean_of_the_others():
    total, own = torch.tensor([[6.0], [5.0], [4.0]]), torch.tensor([[2.0], [5.0], [1.0]])
    p = without_own(total, own, torch.tensor([2, 0, 1]))
    torch.testing.assert_close(p, torch.tensor([[2.0], [2.5], [3.0]]))
