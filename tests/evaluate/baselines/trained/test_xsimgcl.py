import pytest
import scipy.sparse as sp
import torch
import torch.nn.functional as F

from hier_dag.evaluate.baselines.trained.bipartite import bipartite, light_propagation
from hier_dag.evaluate.baselines.trained.xsimgcl import XSimGCL


@pytest.fixture
def edges():
    return bipartite(sp.csr_array(([1.0] * 4, ([0, 0, 1, 2], [0, 1, 1, 2])), shape=(4, 4)))


def test_reads_out_the_mean_of_its_layers_without_noise_outside_training(edges):
    torch.manual_seed(0)
    model = XSimGCL(4, 4, 3, layers=2).eval()
    users, items, extra = model.embed(edges)
    _, one, two = light_propagation(edges.nodes, model.nodes, 2)
    torch.testing.assert_close(torch.cat([users, items]), (one + two) / 2)
    assert extra.item() == 0


def test_noise_has_the_declared_length_and_the_layers_signs():
    model = XSimGCL(4, 4, 3, layers=2, noise=0.3)
    layer = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    noise = model._noise_like(layer)
    torch.testing.assert_close(noise.norm(dim=1), torch.full((8,), 0.3))
    assert (noise * layer >= 0).all()


def test_extra_loss_is_infonce_of_linked_users_and_of_linked_items(edges):
    torch.manual_seed(0)
    model = XSimGCL(4, 4, 3, layers=2, noise=0.0, weight=0.5, temperature=0.4)
    _, one, two = light_propagation(edges.nodes, model.nodes, 2)
    out = F.normalize((one + two) / 2, dim=1)
    view, expected = F.normalize(one, dim=1), 0.0
    for group in ([0, 1, 2], [4, 5, 6]):
        for a in group:
            scores = torch.stack([out[a] @ view[b] / 0.4 for b in group])
            expected += (torch.logsumexp(scores, 0) - out[a] @ view[a] / 0.4) / 3
    assert model.train().embed(edges)[2].item() == pytest.approx(0.5 * expected.item(), rel=1e-4)


def test_a_contrasted_layer_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"1\.\.2"):
        XSimGCL(4, 4, 3, layers=2, contrasted=3)
