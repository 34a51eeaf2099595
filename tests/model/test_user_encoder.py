import pytest
import torch

from hier_dag.model.adjacency import Adjacency
from hier_dag.model.message_passing import spmm
from hier_dag.model.reach import reach
from hier_dag.model.user_encoder import UserEncoder

HISTORY = {0: [0, 1], 1: [1, 2, 3], 2: [0]}


@pytest.fixture
def encoder(view):
    torch.manual_seed(0)
    encoder = UserEncoder(view, 4)
    encoder.ids.data.normal_()
    return encoder


@pytest.fixture
def left_out(encoder, view):
    """p_u of pairs from vectors of content nodes, beside the vectors of all items."""
    content, tastes = Adjacency.means(view.content), Adjacency.sums(view.tastes())

    def encode(nodes, users, items):
        users, items = torch.tensor(users), torch.tensor(items)
        touched = reach(encoder.history, tastes, content, users, items, torch.tensor([5]))
        return encoder.leave_one_out(touched, nodes, spmm(touched.content, nodes))

    return encode


def test_each_pair_is_encoded_from_the_rest_of_its_history(encoder, left_out, view):
    nodes = torch.randn(view.n_nodes, 4)
    known = spmm(Adjacency.means(view.content), nodes) + encoder.ids.detach()
    want = torch.stack([known[[1, 3]].mean(0), known[1], known[[2, 3]].mean(0)])
    torch.testing.assert_close(left_out(nodes, [1, 0, 1], [2, 0, 1]).detach(), want)


def test_the_positive_never_reaches_its_own_history(encoder, left_out, view):
    nodes = torch.randn(view.n_nodes, 4, requires_grad=True)
    left_out(nodes, [1], [3]).sum().backward()
    (alone,) = view.content.indices[view.content.indptr[3] : view.content.indptr[4]]
    assert nodes.grad[alone].abs().max() < 1e-6  # the node of item 3 and of no other
    assert encoder.ids.grad[3].abs().max() < 1e-6
    assert encoder.ids.grad[1].abs().sum() > 0


def test_a_pair_without_other_history_is_encoded_as_the_mean_of_the_batch(left_out, view):
    p = left_out(torch.randn(view.n_nodes, 4), [2, 0, 1], [0, 0, 1])
    torch.testing.assert_close(p[0], p[1:].mean(0))


def test_scoring_uses_the_whole_history_and_the_global_mean_without_one(encoder):
    content = torch.randn(6, 4)
    known = (content + encoder.ids).detach()
    each = torch.stack([known[items].mean(0) for items in HISTORY.values()])
    mean = encoder.mean(content).detach()
    torch.testing.assert_close(mean, each.mean(0))
    got = encoder(content, torch.tensor([3, 1, 0, 2]), mean).detach()
    torch.testing.assert_close(got, torch.stack([mean, each[1], each[0], each[2]]))
