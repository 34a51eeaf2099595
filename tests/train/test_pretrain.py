import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from hier_dag.errors import TrainingError
from hier_dag.graph.csr import from_coo
from hier_dag.train.pretrain import pretrain


def weights(pretrained):
    return {name: tensor.numpy() for name, tensor in pretrained.model.state_dict().items()}


def assert_same_bits(one, other):
    for name, array in weights(one).items():
        assert array.tobytes() == weights(other)[name].tobytes(), name
    assert one.encoding.users.tobytes() == other.encoding.users.tobytes()
    assert one.encoding.items.tobytes() == other.encoding.items.tobytes()


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "recommended"},
        {"model": "literal"},
        {"graph": "sampled", "neighbour_fanout": 3, "history_fanout": 3},
        {"precision": "bfloat16"},
    ],
    ids=str,
)
def test_training_finds_what_users_like(case, changes):
    curve = pretrain(case.graph, case.with_params(**changes)).curve
    assert curve[-1].loss < curve[0].loss
    chance = 0.2  # HR@10 of a random order is higher, its NDCG@10 about this, in catalogues of 30 and 40
    assert max(record.ndcg for record in curve) > 1.3 * chance


def test_zero_shot_ranks_unseen_target_items_by_taste(case, pretrained):
    scores = pretrained.encoding.users @ pretrained.encoding.items.T + pretrained.encoding.item_bias
    known = case.graph.interactions["t"]
    with_history = np.isin(known.user, np.arange(110))
    user, item = known.user[with_history], known.item[with_history]
    catalogue = case.graph.catalogue["t"]
    above = (scores[user, item][:, None] > scores[user][:, catalogue]).mean()
    assert above > 0.6


def test_the_same_seed_gives_the_same_bits(case, pretrained):
    torch.manual_seed(99)
    assert_same_bits(pretrained, pretrain(case.graph, case.params))


def test_another_seed_gives_another_encoder(case, pretrained):
    other = pretrain(case.graph, case.with_params(seed=1))
    assert not np.allclose(other.encoding.users, pretrained.encoding.users)


def test_target_interactions_change_no_bit_of_the_weights(case, pretrained, other_targets):
    before, after = (g.interactions["t"].item for g in (case.graph, other_targets))
    assert before.tobytes() != after.tobytes()
    assert_same_bits(pretrained, pretrain(other_targets, case.params))


def test_targets_may_have_no_logs_at_all(case, pretrained):
    graph = case.graph
    silent = replace(
        graph,
        interactions={d: graph.interactions[d] for d in graph.sources},
        interacts={d: graph.interacts[d] for d in graph.sources},
    )
    assert_same_bits(pretrained, pretrain(silent, case.params))


def test_the_callers_random_state_and_threads_come_back(case):
    torch.manual_seed(5)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    pretrain(case.graph, case.with_params(epochs=1, threads=2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_the_best_epoch_is_kept(case, pretrained):
    scores = [record.ndcg for record in pretrained.curve]
    assert pretrained.best_epoch == 1 + int(np.argmax(scores))


def test_training_stops_when_validation_stands_still(case):
    # A vanishing learning rate leaves the ranking as it is, so no epoch improves on the first.
    curve = pretrain(case.graph, case.with_params(learning_rate=1e-12, patience=2, epochs=6)).curve
    assert len(curve) == 3


def test_a_loss_that_is_not_finite_names_step_and_epoch(case):
    with pytest.raises(TrainingError, match=r"epoch 1, step \d+"):
        pretrain(case.graph, case.with_params(learning_rate=1e30, clip=1e30))


def test_sources_without_any_interaction_are_refused(case):
    none = np.zeros(0, np.int64)
    empty = from_coo(none, none, case.graph.n_users, case.graph.n_items)
    silent = replace(case.graph, interacts={**case.graph.interacts, "a": empty, "b": empty})
    with pytest.raises(TrainingError, match="no training interaction"):
        pretrain(silent, case.params)


def test_one_silent_source_does_no_harm(case):
    none = np.zeros(0, np.int64)
    empty = from_coo(none, none, case.graph.n_users, case.graph.n_items)
    graph = replace(
        case.graph,
        interacts={**case.graph.interacts, "b": empty},
        catalogue={**case.graph.catalogue, "b": none},
        interactions={**case.graph.interactions, "b": replace_empty(case.graph.interactions["b"])},
    )
    assert np.isfinite(pretrain(graph, case.with_params(epochs=1)).encoding.users).all()


def replace_empty(interactions):
    return replace(interactions, **{name: getattr(interactions, name)[:0] for name in vars(interactions)})


def test_progress_reaches_the_last_epoch_and_does_not_flood(case):
    seen = []
    result = pretrain(case.graph, case.params, seen.append)
    assert (seen[-1].epoch, seen[-1].step) == (len(result.curve), seen[-1].steps)
    assert seen[-1].ndcg == result.curve[-1].ndcg
    assert seen[-1].interactions_per_s > 0
    assert 0 <= seen[-1].open_paths <= 1
    assert len(seen) <= 2 + sum(record.seconds for record in result.curve) / 0.3


def test_the_worker_needs_neither_tables_nor_the_orchestrator():
    # dgl itself imports pandas, so its door stays out of this list; nothing of ours may.
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['pandas', 'ibis', 'pydantic', 'dagster', 'duckdb']));"
        "import hier_dag.train.pretrain, hier_dag.train.encoder_files"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
