"""What training says it used is what its steps were made of."""

import numpy as np

from hier_dag.train.batches import SourcePairs
from hier_dag.train.flows import training_flows


def codes(graph, user, item):
    return sorted((user * graph.n_items + item).tolist())


def test_every_edge_of_every_source_and_the_history_of_all(case, pretrained):
    graph = case.graph
    used = {u.name: u for u in pretrained.used}
    assert list(used) == ["a", "b", "history"]
    for source in graph.sources:
        csr = graph.interacts[source]
        assert used[source].domains == (source,)
        assert codes(graph, used[source].user, used[source].item) == codes(
            graph, csr.row_of_entry(), csr.indices
        )
    union = set(codes(graph, used["a"].user, used["a"].item)) | set(
        codes(graph, used["b"].user, used["b"].item)
    )
    assert codes(graph, used["history"].user, used["history"].item) == sorted(union)
    flows = {f.domain: f.check() for f in training_flows(graph, pretrained)}
    assert {d: f.left for d, f in flows.items()} == {d: {"trained": graph.interacts[d].nnz} for d in "ab"}


def test_a_pair_that_no_step_served_was_not_used(case):
    graph = case.graph
    pairs = SourcePairs(graph, batch_size=16, negatives=4, device="cpu")
    assert [len(u.user) for u in pairs.used()] == [0, 0]
    first = pairs.batch(pairs.order(), 1)
    served = np.concatenate([u.user * graph.n_items + u.item for u in pairs.used()])
    assert sorted(served.tolist()) == codes(graph, first.users.numpy(), first.items.numpy())
