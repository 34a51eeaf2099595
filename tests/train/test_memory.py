"""What a training will need is told before it begins, and decides what a step encodes."""

from dataclasses import replace

import pytest
import torch

from hier_dag.errors import ConfigError, Interrupted
from hier_dag.model.reach import Fanout
from hier_dag.model.registry import build_model
from hier_dag.model.source_view import source_view
from hier_dag.progress import listening
from hier_dag.train import memory
from hier_dag.train import pretrain as module
from hier_dag.train.batches import SourcePairs
from hier_dag.train.checkpoint import Checkpoints
from hier_dag.train.memory import FULL, SAMPLED, estimate, free_bytes, plan
from hier_dag.train.pretrain import pretrain

PLENTY = 1 << 40


@pytest.fixture
def fresh(case):
    """A model, its pairs and its parameters, by changes to these."""

    def make(**changes):
        params = case.with_params(**changes)
        model = build_model(source_view(case.graph), params)
        cpu = torch.device("cpu")
        return model, SourcePairs(case.graph, params.batch_size, params.negatives, cpu), params

    return make


def test_the_full_graph_is_taken_where_it_fits_and_samples_where_they_are_smaller(fresh, monkeypatch):
    model, pairs, params = fresh()
    assert plan(model, pairs, params, PLENTY).graph == FULL
    assert model.fanout is None
    # Beside a platform of 90 items a step's pairs weigh most: here samples are smaller by decree.
    monkeypatch.setattr(type(model), "step_bytes", lambda self, _: 10**9 if self.fanout is None else 10**6)
    need = plan(model, pairs, params, free=10**9)
    assert need.graph == SAMPLED
    assert model.fanout == Fanout(params.neighbour_fanout, params.history_fanout)


def test_what_is_declared_overrides_the_estimate(fresh):
    model, pairs, params = fresh(graph="sampled")
    assert plan(model, pairs, params, PLENTY).graph == SAMPLED
    model, pairs, params = fresh(graph="full")
    assert plan(model, pairs, params, free=1).graph == FULL


def test_the_literal_formulation_is_never_sampled_by_itself_and_refuses_to_be(fresh):
    model, pairs, params = fresh(model="literal")
    assert plan(model, pairs, params, free=1).graph == FULL
    model, pairs, params = fresh(model="literal", graph="sampled")
    with pytest.raises(ConfigError, match="trains on the full graph alone"):
        plan(model, pairs, params, PLENTY)


def test_an_estimate_draws_nothing_and_serves_nothing(fresh):
    model, pairs, _ = fresh()
    before = torch.get_rng_state()
    estimate(model, pairs, None)
    estimate(model, pairs, Fanout(2, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert not pairs.served.any()
    assert model.fanout is None


def test_people_are_told_what_it_needs_before_the_first_step(case):
    told = []
    with listening(lambda step: told.append(step.text)):
        pretrain(case.graph, case.with_params(epochs=1), lambda p: told.append("a step"))
    assert told[0].startswith("training needs about ")
    assert " MB of memory on the full graph (tables " in told[0]
    assert told[0].endswith(" are free")


def test_a_training_that_began_on_samples_goes_on_there_when_memory_is_free(case, tmp_path, monkeypatch):
    params = case.with_params(epochs=1, neighbour_fanout=2, history_fanout=2)
    whole = pretrain(case.graph, replace(params, graph="sampled"))
    checkpoints = Checkpoints(tmp_path / "t", "key")
    with monkeypatch.context() as short:
        short.setattr(module, "free_bytes", lambda _: 1)
        short.setattr(memory, "_smaller", lambda full, model, pairs, fanout: estimate(model, pairs, fanout))
        asked = iter([False, True])
        with pytest.raises(Interrupted):
            pretrain(case.graph, params, checkpoints=checkpoints, stop=lambda: next(asked))
    resumed = pretrain(case.graph, params, checkpoints=checkpoints)
    assert resumed.curve[0].loss == whole.curve[0].loss


def test_free_memory_is_what_machine_and_control_group_leave(tmp_path):
    said, group, cpu = tmp_path / "meminfo", tmp_path / "group", torch.device("cpu")
    said.write_text("MemTotal: 4096 kB\nMemAvailable:    2048 kB\n")
    assert free_bytes(cpu, said, group) == 2 << 20
    (group / "memory").mkdir(parents=True)
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("5\n")
    assert free_bytes(cpu, said, group) == 2 << 20
    (group / "memory.max").write_text("1000005\n")
    assert free_bytes(cpu, said, group) == 1_000_000
    (group / "memory" / "memory.limit_in_bytes").write_text("700\n")
    (group / "memory" / "memory.usage_in_bytes").write_text("900\n")
    assert free_bytes(cpu, said, group) == 0
    assert free_bytes(cpu, tmp_path / "nothing", tmp_path / "none") > 0
