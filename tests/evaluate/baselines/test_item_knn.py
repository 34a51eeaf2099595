import numpy as np
import pytest

from hier_dag.evaluate.baselines.item_knn import item_knn
from hier_dag.evaluate.baselines.item_knn_popularity import item_knn_popularity


def naive(evidence, x, shrinkage):
    graph = evidence.graph
    out = np.zeros((len(graph.audience["cafe"]), len(graph.catalogue["cafe"])))
    for row, user in enumerate(graph.audience["cafe"]):
        for column, j in enumerate(graph.catalogue["cafe"]):
            for i in np.flatnonzero(x[user]):
                if i != j:
                    both = (x[:, i] * x[:, j]).sum()
                    out[row, column] += both / (np.sqrt(x[:, i].sum() * x[:, j].sum()) + shrinkage)
    return out


@pytest.mark.parametrize("shrinkage", [0.5, 30.0])
def test_equals_the_sum_of_shrunk_cosines(small_platform, few_shot, dense, shrinkage):
    evidence = few_shot(small_platform)
    x = dense(evidence)
    known = x[small_platform.audience["cafe"]].any(axis=1)
    rows = np.flatnonzero(known)
    scores = item_knn(evidence, shrinkage)(rows)
    np.testing.assert_allclose(scores, naive(evidence, x, shrinkage)[rows], atol=1e-5)
    assert scores.any()


def test_the_mix_adds_votes_to_log_popularity(small_platform, few_shot, dense):
    evidence = few_shot(small_platform)
    x = dense(evidence)
    rows = np.flatnonzero(x[small_platform.audience["cafe"]].any(axis=1))
    votes = naive(evidence, x, 10.0)[rows]
    mean = np.array([v[v > 0].mean() if v.any() else 1.0 for v in votes])
    count = [(evidence.item == i).sum() for i in small_platform.catalogue["cafe"]]
    expected = np.log1p(count) + 0.7 * votes / mean[:, None]
    mixed = item_knn_popularity(evidence, shrinkage=10.0, weight=0.7)(rows)
    np.testing.assert_allclose(mixed, expected, atol=1e-5)
