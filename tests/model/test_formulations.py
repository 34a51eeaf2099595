import numpy as np
import pytest
import torch

from hier_dag.errors import ConfigError
from hier_dag.model.encoding import FALLBACK, KG_INFERRED, TRAINED
from hier_dag.model.formulation import Batch, one_row_per_user
from hier_dag.model.registry import FORMULATIONS, build_model
from hier_dag.train.params import PretrainParams


def params(name, **changes):
    return PretrainParams(model=name, dim=8, intents=3, exemplars=4, **changes)


@pytest.fixture(params=sorted(FORMULATIONS))
def model(request, view):
    torch.manual_seed(0)
    return build_model(view, params(request.param))


def batch():
    return Batch(
        users=torch.tensor([0, 1, 1, 0]),
        items=torch.tensor([0, 1, 2, 1]),
        counts=[4],
        negatives=torch.tensor([[0, 2, 3]]),
        rivals=torch.tensor([3, 3, 0, 2]),
    )


def test_every_parameter_that_matters_gets_a_gradient(model):
    terms = model.losses(batch())
    assert set(terms) == {"rank", "auxiliary", "mi", "exemplar", "path", "l2"}
    sum(terms.values()).backward()
    silent = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()}
    # Zero-initialised last layers let no gradient through to the layer before them on the first step.
    assert all(name.split(".")[1] == "0" and "head" in name for name in silent), silent


def test_a_short_training_ranks_the_users_own_items_first(model):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    first = None
    for _ in range(60):
        terms = model.losses(batch())
        first = first if first is not None else float(terms["rank"])
        optimizer.zero_grad()
        terms["rank"].backward()
        optimizer.step()
    assert float(terms["rank"]) < 0.7 * first


def test_the_encoding_scores_like_the_model_and_says_where_vectors_come_from(model):
    encoding = model.encode()
    model.eval()
    with torch.no_grad():
        items, bias = model.encode_items()
        scores = model.query(model.user_encoder()(torch.arange(4))) @ items.T + bias
    np.testing.assert_allclose(encoding.users @ encoding.items.T + encoding.item_bias, scores, atol=1e-5)
    assert encoding.user_origin.tolist() == [TRAINED, TRAINED, TRAINED, FALLBACK]
    assert encoding.item_origin.tolist() == [TRAINED] * 4 + [KG_INFERRED, FALLBACK]
    assert encoding.users.dtype == encoding.items.dtype == encoding.item_bias.dtype == np.float32
    assert np.isfinite(encoding.users).all()
    assert np.isfinite(encoding.items).all()


def test_encoding_leaves_training_mode_as_it_was(model):
    assert model.train().encode() is not None
    assert model.training


def test_contrast_takes_each_user_once():
    users = torch.tensor([5, 2, 5, 9, 2])
    rows = one_row_per_user(users, 10)
    assert sorted(users[rows].tolist()) == [2, 5, 9]
    assert len(one_row_per_user(users, 2)) == 2


def test_an_unknown_formulation_is_named_with_those_that_exist():
    with pytest.raises(ValueError, match=r"^model must be one of .*recommended, literal, is 'hierr'$"):
        params("hierr")


VARIANTS = [
    ("dual", {"rank_loss": "bpr"}),
    ("dual", {"bottleneck": "hsic"}),
    ("dual", {"content_paths": False}),
    ("dual", {"layers": 0}),
    ("literal", {"aggregation": "mean"}),
    ("literal", {"bottleneck": "hsic"}),
]


@pytest.mark.parametrize(("name", "change"), VARIANTS)
def test_every_declared_variant_differs_from_the_default_and_trains(view, name, change):
    def trained(**changes):
        torch.manual_seed(0)
        model = build_model(view, params(name, **changes))
        torch.manual_seed(1)
        terms = model.losses(batch())
        assert all(torch.isfinite(term) for term in terms.values())
        sum(terms.values()).backward()
        return torch.cat([p.grad.flatten() for p in model.nodes.parameters()])

    default, changed = trained(), trained(**change)
    assert changed.abs().sum() > 0
    assert default.shape != changed.shape or not torch.allclose(default, changed)


def test_the_control_of_the_content_paths_leaves_users_as_they_are(view):
    torch.manual_seed(0)
    model = build_model(view, params("dual", content_paths=False))
    h = torch.randn(3, 8)
    assert torch.equal(model.paths(h), h)


def test_literal_needs_a_layer(view):
    with pytest.raises(ConfigError, match="at least one layer"):
        build_model(view, params("literal", layers=0))


@pytest.mark.parametrize("name", ["rank_loss", "bottleneck", "aggregation", "interaction_paths"])
def test_a_word_that_is_no_choice_is_refused_with_those_that_are(name):
    with pytest.raises(ValueError, match=f"{name} must be one of"):
        params("dual", **{name: "other"})


def test_mixed_precision_keeps_the_losses_in_float32_and_near(view):
    losses = {}
    for precision in ("float32", "bfloat16"):
        torch.manual_seed(0)
        model = build_model(view, params("recommended", precision=precision))
        torch.nn.init.normal_(model.user_head[2].weight)
        torch.nn.init.normal_(model.item_head[2].weight)
        torch.manual_seed(1)
        losses[precision] = model.losses(batch())
        sum(losses[precision].values()).backward()
        assert all(p.grad.dtype == torch.float32 for p in model.parameters() if p.grad is not None)
    for name, term in losses["bfloat16"].items():
        assert term.dtype == torch.float32
        assert term.item() == pytest.approx(losses["float32"][name].item(), rel=2e-2, abs=1e-3), name
    assert losses["bfloat16"]["rank"] != losses["float32"]["rank"]
