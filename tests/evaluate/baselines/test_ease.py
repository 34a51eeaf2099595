import numpy as np
import pytest

from hier_dag.evaluate.baselines.ease import ease


def naive(x, ridge):
    """EASE on all columns of a dense matrix (Steck 2019, eq. 8)."""
    p = np.linalg.inv(x.T @ x + ridge * np.eye(x.shape[1]))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0.0)
    return x @ b


def known_rows(graph, x):
    return np.flatnonzero(x[graph.audience["cafe"]].any(axis=1))


@pytest.mark.parametrize("ridge", [2.0, 50.0])
def test_is_plain_ease_where_every_source_item_is_kept(small_platform, few_shot, dense, ridge):
    evidence = few_shot(small_platform)
    x = dense(evidence)
    rows = known_rows(small_platform, x)
    expected = naive(x, ridge)[small_platform.audience["cafe"]][:, small_platform.catalogue["cafe"]]
    np.testing.assert_allclose(ease(evidence, ridge, 100)(rows), expected[rows], atol=1e-4)


def test_is_ease_on_the_kept_columns_otherwise(make_small_platform, few_shot, dense):
    graph = make_small_platform(shared_items=False)
    evidence = few_shot(graph)
    x = dense(evidence)
    count = x[:, :16].sum(axis=0)
    kept = np.sort(np.argsort(-count, kind="stable")[:6])
    columns = np.concatenate([kept, graph.catalogue["cafe"]])
    expected = naive(x[:, columns], 3.0)[graph.audience["cafe"]][:, 6:]
    rows = np.flatnonzero(x[graph.audience["cafe"]][:, columns].any(axis=1))
    np.testing.assert_allclose(ease(evidence, 3.0, 6)(rows), expected[rows], atol=1e-4)
