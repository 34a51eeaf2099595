"""Every published score is the sum of the terms that explain it, and the paths' term that of its paths."""

import numpy as np
import pytest

from hier_dag.errors import ContractError
from hier_dag.model.encoding import TRAINED
from hier_dag.transfer.dual_transfer import dual_few_shot, dual_zero_shot
from hier_dag.transfer.explanation import LEARNED, PATHS, ZERO_SHOT, explain, path_shares
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.shots import Shots, draw_shots
from hier_dag.transfer.target import make_target


def test_paths_are_intent_by_exemplar_the_largest_first():
    a = np.array([0.25, 0.0, 0.75], np.float32)
    phi = np.array([[0.5, 0.5, 0], [1, 0, 0], [0, 0.2, 0.8]], np.float32)
    strength = np.array([2.0, -1.0, 0.0], np.float32)
    found = path_shares(a, phi, strength)
    assert [(s.intent, s.exemplar) for s in found] == [(0, 0), (2, 1), (0, 1)]
    naive = sum(a[p] * phi[p, k] * strength[k] for p in range(3) for k in range(3))
    assert sum(s.value for s in found) == pytest.approx(naive)
    assert found[0].value == pytest.approx(0.25)


@pytest.fixture
def case(dual_platform):
    graph, encoding = dual_platform
    return graph, encoding, make_target(graph, encoding, "cafe")


def made(case, **changes):
    graph, _, target = case
    params = TransferParams(shots=("1",), seeds=(0,), **changes)
    shots = draw_shots(graph, "cafe", "all")
    vectors, head = dual_few_shot(target, target.sides, shots, params, 0, fine_tuned=bool(changes))
    return target, shots, params, vectors, head


@pytest.mark.parametrize("changes", [{}, {"finetune_min_per_item": 0.0}])
def test_every_score_is_the_sum_of_its_terms_and_paths(case, changes):
    target, shots, params, vectors, head = made(case, **changes)
    scores = vectors.user_vectors @ vectors.item_vectors.T
    learned = set()
    for user, item in ((0, 0), (3, 5), (7, 2), (39, 19)):
        over = case[1].interactions
        found = explain(target, over, shots, params, vectors, head.scalars, user, item)
        assert found.score == pytest.approx(scores[user, item], abs=1e-5)
        assert sum(found.terms.values()) == pytest.approx(found.score, abs=2e-3)
        assert sum(p.value for p in found.paths) == pytest.approx(found.terms[PATHS], abs=1e-4)
        sizes = [abs(p.value) for p in found.paths]
        assert sizes == sorted(sizes, reverse=True)
        learned.add(LEARNED in found.terms)
    assert (True in learned) == (vectors.method == "fine_tuned")


def test_a_user_without_source_history_is_carried_by_no_path(case):
    target, shots, params, vectors, head = made(case)
    user = int(np.flatnonzero(target.user_origin != TRAINED)[0])
    found = explain(target, case[1].interactions, shots, params, vectors, head.scalars, user, 1)
    assert found.paths == ()
    assert found.terms[PATHS] == 0


def test_vectors_of_another_transfer_are_refused(case):
    target, shots, params, vectors, head = made(case)
    fewer = Shots("1", shots.user[::2], shots.item[::2], shots.n_items)
    with pytest.raises(ContractError, match="do not sum"):
        explain(target, case[1].interactions, fewer, params, vectors, head.scalars, 0, 0)


def test_zero_shot_is_one_term(case):
    _, _, target = case
    vectors = dual_zero_shot(target, target.sides, TransferParams())
    none = np.zeros(0, np.int64)
    shots = Shots("0", none, none, len(target.items))
    found = explain(target, case[1].interactions, shots, TransferParams(), vectors, {}, 2, 3)
    assert found.paths == ()
    assert found.terms == {ZERO_SHOT: found.score}
