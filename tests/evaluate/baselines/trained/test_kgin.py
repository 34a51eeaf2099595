import numpy as np
import torch

from hier_dag.evaluate.baselines.matrices import observed_matrix
from hier_dag.evaluate.baselines.trained.bipartite import bipartite
from hier_dag.evaluate.baselines.trained.kgin import KGIN


def links(graph):
    """(head, relation, tail) with items first, then entities, by loops."""
    n = graph.n_items
    has = list(zip(graph.has_entity.row_of_entry(), graph.has_entity.indices, strict=True))
    triples = zip(
        graph.entity_entity.row_of_entry(),
        graph.entity_entity.indices,
        graph.entity_entity.kinds,
        strict=True,
    )
    return (
        [(i, 0, n + e) for i, e in has]
        + [(n + e, 1, i) for i, e in has]
        + [(n + a, 2 + k, n + b) for a, b, k in triples]
    )


def test_equals_loops_over_links_and_histories(small_platform, few_shot, dense):
    torch.manual_seed(0)
    evidence = few_shot(small_platform)
    model = KGIN(small_platform, dim=4, layers=2, intents=3)
    users, items, _ = model.embed(bipartite(observed_matrix(evidence)))
    with torch.no_grad():
        weight = torch.softmax(model.attention, dim=1)
        entity = model.nodes[24:]
        intents = torch.stack(
            [sum(weight[p, v] * model.relation[0] * entity[v] for v in range(5)) for p in range(3)]
        )
        beta = torch.softmax(model.users @ intents.T, dim=1)
        nodes, user_sum, node_sum = model.nodes, model.users.clone(), model.nodes.clone()
        x = dense(evidence)
        for _ in range(2):
            of_users = torch.zeros(24, 4)
            for u in range(24):
                for i in np.flatnonzero(x[u]):
                    of_users[u] += (1 + beta[u] @ intents) * nodes[i] / x[u].sum()
            out, count = torch.zeros_like(nodes), torch.zeros(len(nodes))
            for head, relation, tail in links(small_platform):
                out[head] += model.relation[relation] * nodes[tail]
                count[head] += 1
            nodes = out / count.clamp(min=1)[:, None]
            user_sum, node_sum = user_sum + of_users, node_sum + nodes
    torch.testing.assert_close(users, user_sum, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(items, node_sum[:24], atol=1e-5, rtol=1e-4)


def test_alike_intents_cost_more_than_different_ones(small_platform):
    from hier_dag.evaluate.baselines.trained.kgin import _dependence

    alike = _dependence(torch.ones(4, 4))
    assert alike.item() > _dependence(torch.eye(4)).item()
    np.testing.assert_allclose(alike.item(), np.log(4), rtol=1e-6)
