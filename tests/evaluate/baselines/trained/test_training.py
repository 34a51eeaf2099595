import pytest
import scipy.sparse as sp
import torch

from hier_dag.evaluate.baselines.trained.bipartite import bipartite
from hier_dag.evaluate.baselines.trained.lightgcn import LightGCN
from hier_dag.evaluate.baselines.trained.training import Pairs, Training, rank_loss, train


def test_rank_loss_is_cross_entropy_over_the_catalogue_plus_decay():
    generator = torch.Generator().manual_seed(0)
    users, items = torch.randn(4, 3, generator=generator), torch.randn(6, 3, generator=generator)
    pairs = Pairs(torch.tensor([0, 3, 3]), torch.tensor([2, 5, 3]), torch.tensor([2, 3, 5]))
    expected = 0.0
    for user, item in ((0, 2), (3, 5), (3, 3)):
        scores = torch.stack([users[user] @ items[i] for i in (2, 3, 5)])
        expected += torch.logsumexp(scores, 0) - users[user] @ items[item]
        expected += 0.1 * (users[user].square().sum() + items[item].square().sum())
    loss = rank_loss(users, items, pairs, Training(steps=1, decay=0.1), generator)
    assert loss.item() == pytest.approx(expected.item() / 3, rel=1e-5)


def test_large_domains_are_sampled():
    generator = torch.Generator().manual_seed(0)
    users, items = torch.zeros(2, 3), torch.zeros(500, 3)
    pairs = Pairs(
        torch.zeros(900, dtype=torch.int64), torch.zeros(900, dtype=torch.int64), torch.arange(1, 500)
    )
    loss = rank_loss(users, items, pairs, Training(steps=1, batch=8, negatives=3, decay=0.0), generator)
    assert loss.item() == pytest.approx(torch.log(torch.tensor(4.0)).item())  # itself and three others tie


def test_training_lowers_the_loss_of_the_target_and_of_the_sources():
    x = sp.csr_array(([1.0] * 6, ([0, 0, 1, 1, 2, 2], [0, 1, 1, 2, 0, 3])), shape=(3, 5))
    edges = bipartite(x)
    source = Pairs(torch.tensor([0, 0, 1, 1, 2]), torch.tensor([0, 1, 1, 2, 0]), torch.arange(3))
    target = Pairs(torch.tensor([2]), torch.tensor([3]), torch.arange(3, 5))
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    model, training = LightGCN(3, 5, 4, layers=1), Training(steps=40, learning_rate=0.05)

    def losses():
        users, items, _ = model.embed(edges)
        return [rank_loss(users, items, p, training, generator).item() for p in (source, target)]

    before = losses()
    train(model, edges, [source], target, training, generator)
    after = losses()
    assert after[0] < before[0] - 0.1
    assert after[1] < before[1] - 0.1


def test_without_pairs_nothing_moves():
    model = LightGCN(2, 2, 3, layers=1)
    before = model.nodes.detach().clone()
    train(model, bipartite(sp.csr_array((2, 2))), [], None, Training(steps=3), torch.Generator())
    torch.testing.assert_close(model.nodes.detach(), before)
