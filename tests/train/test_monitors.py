"""A collapse shows in the monitors, and looking at them changes nothing."""

import math

import numpy as np
import pytest
import torch

from hier_dag.model.decision_path import DecisionPaths
from hier_dag.model.registry import build_model
from hier_dag.model.source_view import source_view
from hier_dag.train import monitors
from hier_dag.train.monitors import MONITORS, effective_rank, exemplar_entropy, measure, view_cosine
from hier_dag.train.pretrain import pretrain

P, K, D = 3, 5, 4


@pytest.fixture
def paths():
    torch.manual_seed(0)
    paths = DecisionPaths(P, K, D, temperature=0.5).eval()
    paths.gates.log_alpha.data.uniform_(-4, 3)
    return paths


@pytest.fixture
def users():
    return torch.randn(7, D, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def model(case):
    torch.manual_seed(0)
    return build_model(source_view(case.graph), case.params)


def test_the_effective_rank_is_that_of_its_definition():
    x = np.random.default_rng(0).standard_normal((9, 4))
    sigma = np.sqrt(np.linalg.eigvalsh(x.T @ x))
    p = [s / sum(sigma) for s in sigma]
    want = math.exp(-sum(share * math.log(share) for share in p))
    assert effective_rank(torch.tensor(x)) == pytest.approx(want, rel=1e-9)
    assert effective_rank(torch.tensor(3.5 * x)) == pytest.approx(want, rel=1e-9)  # scale is no matter


def test_the_effective_rank_counts_directions():
    assert effective_rank(torch.eye(6)) == pytest.approx(6)
    assert effective_rank(torch.eye(6)[:, :2]) == pytest.approx(2)
    assert effective_rank(torch.ones(8, 5)) == pytest.approx(1)
    assert effective_rank(torch.zeros(8, 5)) == 0
    assert effective_rank(torch.full((8, 5), torch.nan)) == 0


def test_exemplar_entropy_is_that_of_a_loop_over_users_intents_and_exemplars(paths, users):
    gates = paths.gates().detach()
    weights, mass = paths.weights(gates).detach(), np.zeros(K)
    for user in users:
        scores = [float(user @ c) / paths.temperature for c in paths.intents.detach()]
        total = sum(math.exp(s) for s in scores)
        for p, score in enumerate(scores):
            for k in range(K):
                mass[k] += math.exp(score) / total * float(gates[p, k] * weights[p, k]) / len(users)
    share = mass / mass.sum()
    want = -sum(s * math.log(s) for s in share if s > 0) / math.log(K)
    with torch.no_grad():
        assert exemplar_entropy(paths, users) == pytest.approx(want, abs=1e-6)
    assert 0 < want < 1


def test_exemplar_entropy_at_its_extremes(paths, users):
    with torch.no_grad():
        paths.gates.log_alpha.fill_(-10)  # every gate closed
        assert exemplar_entropy(paths, users) == 0
        paths.gates.log_alpha[:, 2] = 10  # one exemplar takes everything
        assert exemplar_entropy(paths, users) == pytest.approx(0, abs=1e-6)
        paths.gates.log_alpha.fill_(10)
        paths.exemplars.fill_(0.3)  # none is told from another
        assert exemplar_entropy(paths, users) == pytest.approx(1, abs=1e-6)
        alone = DecisionPaths(P, 1, D, temperature=0.5).eval()
        assert exemplar_entropy(alone, users) == 1


def test_the_cosine_of_both_views(users):
    other = users.flip(0)
    want = np.mean(
        [
            float(a @ b) / math.sqrt(float(a @ a) * float(b @ b))
            for a, b in zip(users.double(), other.double(), strict=True)
        ]
    )
    assert view_cosine(users, other) == pytest.approx(want, abs=1e-9)
    assert view_cosine(users, 2 * users) == pytest.approx(1)
    assert view_cosine(users, users * torch.inf) == 1


def test_a_sound_training_is_far_from_every_extreme(case, pretrained):
    for record in pretrained.curve:
        assert tuple(record.monitors) == MONITORS
        assert record.monitors["exemplar_entropy"] > 0.3
        assert record.monitors["view_cosine"] < 0.999
        assert record.monitors["user_rank"] * case.params.dim > 3
        assert record.monitors["item_rank"] * case.params.dim > 3


@pytest.mark.parametrize("name", ["dual", "literal"])
def test_a_collapsed_model_shows_the_extremes(case, name):
    torch.manual_seed(0)
    model = build_model(source_view(case.graph), case.with_params(model=name))
    with torch.no_grad():
        model.paths.gates.log_alpha.fill_(-10)  # every gate closed
        model.paths.intents.fill_(0)
        for weight in model.nodes.parameters():  # every entity alike: so are users and items
            weight.fill_(0.25)
    found = measure(model, seed=0)
    assert model.paths.gates.open_share() == 0
    assert found["exemplar_entropy"] == 0
    assert found["view_cosine"] == pytest.approx(1, abs=1e-6)
    assert found["user_rank"] * case.params.dim == pytest.approx(1, abs=1e-3)
    assert found["item_rank"] * case.params.dim == pytest.approx(1, abs=1e-3)


def test_measuring_draws_nothing_and_changes_nothing(model):
    before, weights = torch.get_rng_state(), {n: t.clone() for n, t in model.state_dict().items()}
    first = measure(model, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    assert model.training
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in weights.items())
    assert measure(model, seed=3) == first
    model.eval()
    measure(model, seed=3)
    assert not model.training


def test_a_sample_is_the_seeds_and_leaves_users_without_history_out(model, monkeypatch):
    asked = []
    real = type(model).user_encoder

    def spied(self):
        encode = real(self)
        return lambda users: (asked.append(users), encode(users))[1]

    monkeypatch.setattr(type(model), "user_encoder", spied)
    monkeypatch.setattr(monitors, "SAMPLE", 20)
    for seed in (1, 1, 2):
        measure(model, seed)
    assert torch.equal(asked[0], asked[1])
    assert not torch.equal(asked[0], asked[2])
    assert all(len(users.unique()) == 20 for users in asked)
    assert model.view.users_with_history()[asked[0].numpy()].all()


def test_what_cannot_be_measured_is_left_out(case, model, monkeypatch):
    monkeypatch.setattr(monitors, "SAMPLE", case.params.dim - 1)
    assert set(measure(model, seed=0)) == {"exemplar_entropy", "view_cosine"}
    monkeypatch.undo()
    without = pretrain(case.graph, case.with_params(content_paths=False, epochs=1))
    assert set(without.curve[0].monitors) == {"user_rank", "item_rank"}
