"""One update: the same whatever the number of parts that memory asks for."""

import pytest
import torch

from hier_dag.errors import TrainingError
from hier_dag.model.registry import build_model
from hier_dag.model.source_view import source_view
from hier_dag.train.batches import SourcePairs
from hier_dag.train.update import Updater, parts_of

CPU = torch.device("cpu")


@pytest.fixture
def ready(case):
    """A fresh model, its updater and the first batch of an epoch, the same each time it is asked for."""

    def make(**changes):
        torch.manual_seed(3)
        params = case.with_params(**changes)
        model = build_model(source_view(case.graph), params)
        pairs = SourcePairs(case.graph, params.batch_size, params.negatives, CPU)
        return Updater(model, params, pairs.steps), pairs.batch(pairs.order(), 1)

    return make


def state(updater):
    return {name: tensor.clone() for name, tensor in updater.model.state_dict().items()}


@pytest.mark.parametrize("parts", [2, 3, 5, 128])
def test_parts_hold_every_pair_once_in_order_and_keep_domains_apart(ready, parts):
    _, batch = ready()
    made = list(parts_of(batch, parts))
    assert len(made) == parts
    for name in ("users", "items", "rivals"):
        assert torch.equal(torch.cat([getattr(p, name) for p in made]), getattr(batch, name))
    assert torch.equal(torch.tensor([p.counts for p in made]).sum(0), torch.tensor(batch.counts))
    assert all(sum(p.counts) == len(p.users) for p in made)
    domains = torch.repeat_interleave(torch.arange(2), torch.tensor(batch.counts))
    again = torch.cat([torch.repeat_interleave(torch.arange(2), torch.tensor(p.counts)) for p in made])
    assert torch.equal(again, domains)


@pytest.mark.parametrize("rank_loss", ["softmax", "bpr"])
def test_the_gradient_does_not_depend_on_the_number_of_parts(ready, rank_loss):
    # Contrastive terms are of a part's own rows and gates are drawn once a part: they are left out here.
    alone = {
        "rank_loss": rank_loss, "content_paths": False, "mi_weight": 0.0, "exemplar_weight": 0.0,
        "path_weight": 0.0,
    }  # fmt: skip
    whole, batch = ready(**alone)
    values = whole(batch, 1, 1)
    for parts in (2, 4):
        split, same = ready(**alone)
        split.parts = parts
        told = split(same, 1, 1)
        assert told["rank"] == pytest.approx(values["rank"], rel=1e-5)
        for name, gradient in gradients(split).items():
            torch.testing.assert_close(gradient, gradients(whole)[name], rtol=1e-4, atol=1e-6)


def gradients(updater):
    return {name: p.grad for name, p in updater.model.named_parameters() if p.grad is not None}


def short_of_memory(updater, most):
    """Losses that cannot be computed for more pairs than `most`, as the CPU's allocator says it."""
    real = updater.model.losses

    def losses(batch, shard):
        if len(batch.users) > most:
            torch.empty(1 << 56, dtype=torch.uint8)
        return real(batch, shard)

    updater.model.losses = losses


def test_a_batch_too_large_is_worked_through_in_halves_and_later_ones_too(ready):
    roomy, batch = ready()
    roomy.parts = 4
    roomy(batch, 1, 1)
    tight, same = ready()
    short_of_memory(tight, len(same.users) // 4 + 1)
    tight(same, 1, 1)
    assert tight.parts == 4
    # The failed attempts drew random numbers; the attempt that counts draws the same ones.
    for name, tensor in state(tight).items():
        assert torch.equal(tensor, state(roomy)[name]), name
    tight(same, 1, 2)
    assert tight.parts == 4


def test_where_even_the_smallest_part_does_not_fit_it_says_what_is_free(ready):
    updater, batch = ready()
    before = state(updater)
    short_of_memory(updater, 0)
    with pytest.raises(TrainingError, match=r"out of memory at epoch 2, step 7, .* in \d+ parts") as refused:
        updater(batch, 2, 7)
    assert 0 < refused.value.detail["free_bytes"] <= refused.value.detail["total_bytes"]
    assert "you tried to allocate" in str(refused.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in state(updater).items())


def test_other_errors_are_not_taken_for_a_lack_of_memory(ready):
    updater, batch = ready()

    def losses(*_):
        raise RuntimeError("a bug")

    updater.model.losses = losses
    with pytest.raises(RuntimeError, match="a bug"):
        updater(batch, 1, 1)
    assert updater.parts == 1
