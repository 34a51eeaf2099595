import pytest
import torch

from hier_dag.errors import ConfigError
from hier_dag.model.formulation import Batch
from hier_dag.model.reach import Fanout, Platform, Wanted, sampled_reach
from hier_dag.model.registry import build_model
from hier_dag.train.params import PretrainParams

EVERYTHING = Fanout(neighbours=100, history=100)


@pytest.fixture(params=["softmax", "bpr"])
def step(request, view):
    """Loss terms and dense gradients of a step, on the full graph or with some fanout."""

    def losses(fanout=None):
        torch.manual_seed(0)
        params = PretrainParams(model="recommended", dim=8, intents=3, exemplars=4, rank_loss=request.param)
        model = build_model(view, params)
        model.history.ids.data.normal_()
        if fanout is not None:
            model.sample(fanout)
        torch.manual_seed(1)
        terms = model.losses(
            Batch(
                users=torch.tensor([0, 1, 1, 0, 2]),
                items=torch.tensor([0, 1, 2, 1, 0]),
                counts=[5],
                negatives=torch.tensor([[0, 2, 3]]),
                rivals=torch.tensor([3, 3, 0, 2, 1]),
            )
        )
        sum(terms.values()).backward()
        return terms, {n: p.grad.to_dense() for n, p in model.named_parameters() if p.grad is not None}

    return losses


def test_a_step_that_draws_everything_is_the_step_on_the_full_graph(step):
    terms, gradients = step()
    sampled, sampled_gradients = step(EVERYTHING)
    assert terms.keys() == sampled.keys()
    for name, term in terms.items():
        torch.testing.assert_close(sampled[name], term, msg=name)
    assert gradients.keys() == sampled_gradients.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(sampled_gradients[name], gradient, atol=1e-6, rtol=1e-4, msg=name)


def test_gradients_of_tables_have_the_rows_that_were_met_alone(view):
    torch.manual_seed(0)
    model = build_model(view, PretrainParams(model="recommended", dim=8, intents=3, exemplars=4))
    model.sample(Fanout(neighbours=1, history=1))
    users, items = torch.tensor([2]), torch.tensor([0])
    sum(model.losses(Batch(users, items, [1], torch.tensor([[0]]), items)).values()).backward()
    assert model.history.ids.grad.is_sparse
    assert model.history.ids.grad.coalesce().indices().tolist() == [[0]]


@pytest.mark.parametrize("seed", range(8))
def test_a_pairs_own_item_never_reaches_its_user_even_where_others_are_drawn(view, seed):
    torch.manual_seed(0)
    model = build_model(view, PretrainParams(model="recommended", dim=8, intents=3, exemplars=4))
    model.history.ids.data.normal_()
    platform = Platform(model.history.history, model.tastes, model.content)
    wanted = Wanted(torch.tensor([1]), torch.tensor([3]), torch.tensor([0]), torch.tensor([0]))
    fanout = Fanout(neighbours=1, history=2)
    touched = sampled_reach(platform, model.nodes.neighbours, model.nodes.layers, fanout, wanted, seed)
    touched.vectors(model.nodes, model.history).users.sum().backward()
    gradient = model.history.ids.grad.to_dense()
    assert gradient[3].abs().max() < 1e-6
    assert gradient[[1, 2]].abs().sum() > 0


def test_a_formulation_that_knows_the_full_graph_alone_says_so(view):
    model = build_model(view, PretrainParams(model="literal", dim=8, intents=3, exemplars=4))
    with pytest.raises(ConfigError, match=r"`literal` trains on the full graph alone.*set it to full"):
        model.sample(EVERYTHING)
