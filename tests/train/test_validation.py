import math
from dataclasses import replace

import numpy as np
import torch

from hier_dag.graph.csr import from_coo
from hier_dag.graph.knowledge_graph import VALIDATION
from hier_dag.model.registry import build_model
from hier_dag.model.source_view import source_view
from hier_dag.train.validation import SourceValidation


def naive(graph, encoding):
    figures = []
    for domain in graph.sources:
        user, item = graph.interactions[domain].part(VALIDATION)
        train = graph.interacts[domain]
        ndcg, hr = [], []
        for u in np.unique(user):
            own = set(train.indices[train.indptr[u] : train.indptr[u + 1]].tolist())
            wanted = set(item[user == u].tolist())
            score = {
                i: encoding.users[u] @ encoding.items[i] + encoding.item_bias[i]
                for i in graph.catalogue[domain].tolist()
                if i not in own
            }
            top = sorted(score, key=score.get, reverse=True)[:10]
            gain = sum(1 / math.log2(r + 2) for r, i in enumerate(top) if i in wanted)
            ndcg.append(gain / sum(1 / math.log2(r + 2) for r in range(min(len(wanted), 10))))
            hr.append(bool(wanted & set(top)))
        figures.append((np.mean(ndcg), np.mean(hr)))
    return np.mean(figures, axis=0)


def test_scores_equal_a_loop_over_users_that_masks_training_items(case):
    # One entity of its own for each item: items with equal entities would tie, and ties fall at random.
    one_each = from_coo(np.arange(90), np.arange(90), 90, 90)
    none = from_coo(np.zeros(0, np.int64), np.zeros(0, np.int64), 90, 90)
    graph = replace(case.graph, has_entity=one_each, entity_entity=none)
    torch.manual_seed(0)
    model = build_model(source_view(graph), case.params)
    got = SourceValidation(graph, 10**6, 0, torch.device("cpu")).score(model)
    np.testing.assert_allclose(got, naive(graph, model.encode()), rtol=1e-6)


def test_a_sample_of_users_is_fixed_by_the_seed(case):
    model = build_model(source_view(case.graph), case.params)
    cpu = torch.device("cpu")
    one, same, other = (SourceValidation(case.graph, 10, seed, cpu) for seed in (3, 3, 4))
    assert one.score(model) == same.score(model)
    assert [len(sample.users) for sample in one.samples] == [10, 10]
    assert any(a.users.tolist() != b.users.tolist() for a, b in zip(one.samples, other.samples, strict=True))
