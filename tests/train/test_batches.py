import numpy as np
import torch

from hier_dag.train.batches import SourcePairs


def test_an_epoch_holds_every_source_pair_once_and_negatives_of_its_own_domain(case):
    torch.manual_seed(0)
    graph = case.graph
    pairs = SourcePairs(graph, 100, 7, torch.device("cpu"))
    order = pairs.order()
    batches = [pairs.batch(order, step) for step in range(1, pairs.steps + 1)]
    assert len(batches) == pairs.steps
    seen = sorted((u, i) for b in batches for u, i in zip(b.users.tolist(), b.items.tolist(), strict=True))
    edges = [graph.interacts[d] for d in graph.sources]
    want = sorted(
        (u, i) for e in edges for u, i in zip(e.row_of_entry().tolist(), e.indices.tolist(), strict=True)
    )
    assert seen == want
    for b in batches:
        assert sum(b.counts) == len(b.users)
        for n, domain in enumerate(graph.sources):
            rows = slice(sum(b.counts[:n]), sum(b.counts[: n + 1]))
            assert np.isin(b.items[rows], graph.catalogue[domain]).all()
            assert np.isin(b.rivals[rows], graph.catalogue[domain]).all()
            assert np.isin(b.negatives[n], graph.catalogue[domain]).all()
