import numpy as np
import pytest
import scipy.sparse as sp
import torch

from hier_dag.evaluate.baselines.trained.bipartite import bipartite, light_propagation, mean_of
from hier_dag.evaluate.baselines.trained.lightgcn import LightGCN

# Three users, four items; item 3 and user 2 have no edge.
OBSERVED = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]], dtype=np.float32)


@pytest.fixture
def edges():
    return bipartite(sp.csr_array(OBSERVED))


def dense_normalised():
    square = np.zeros((7, 7))
    square[:3, 3:], square[3:, :3] = OBSERVED, OBSERVED.T
    degree = square.sum(axis=1)
    scale = np.divide(1, np.sqrt(degree), out=np.zeros(7), where=degree > 0)
    return scale[:, None] * square * scale


def test_propagation_is_powers_of_the_dense_normalised_adjacency(edges):
    start = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    a = torch.tensor(dense_normalised(), dtype=torch.float32)
    out = light_propagation(edges.nodes, start, 2)
    for found, expected in zip(out, [start, a @ start, a @ a @ start], strict=True):
        torch.testing.assert_close(found, expected)
    torch.testing.assert_close(mean_of(out), (start + a @ start + a @ a @ start) / 3)


def test_propagation_equals_pytorch_geometrics_layer(edges):
    convolutions = pytest.importorskip("torch_geometric.nn")
    start = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    user, item = np.nonzero(OBSERVED)
    index = torch.tensor(np.stack([np.r_[user, 3 + item], np.r_[3 + item, user]]))
    torch.testing.assert_close(
        light_propagation(edges.nodes, start, 1)[1], convolutions.LGConv()(start, index)
    )


def test_gradient_reaches_the_start_through_every_layer(edges):
    start = torch.randn(7, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    a = torch.tensor(dense_normalised(), dtype=torch.float32)
    weight = torch.randn(7, 2, generator=torch.Generator().manual_seed(1))
    (mean_of(light_propagation(edges.nodes, start, 2)) * weight).sum().backward()
    torch.testing.assert_close(start.grad, (weight + a.T @ weight + (a @ a).T @ weight) / 3)


def test_history_is_a_mean_and_edges_are_told(edges):
    items = torch.arange(8.0).reshape(4, 2)
    from hier_dag.model.message_passing import spmm

    torch.testing.assert_close(spmm(edges.history, items), torch.tensor([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]]))
    assert edges.linked.tolist() == [True, True, False, True, True, True, False]


def test_no_layer_is_matrix_factorisation(edges):
    model = LightGCN(3, 4, 5, layers=0)
    users, items, extra = model.embed(edges)
    torch.testing.assert_close(torch.cat([users, items]), model.nodes)
    assert extra.item() == 0
