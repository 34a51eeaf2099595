import gc

from hier_dag.evaluate.baselines.per_graph import once_per_graph


def test_computes_once_per_graph_and_arguments_and_forgets_a_dead_graph(make_small_platform):
    calls = []

    @once_per_graph
    def size(graph, factor):
        calls.append(factor)
        return graph.n_users * factor

    one, other = make_small_platform(), make_small_platform()
    assert [size(one, 1), size(one, 1), size(one, 2), size(other, 1)] == [24, 24, 48, 24]
    assert calls == [1, 2, 1]
    del one
    gc.collect()
    assert len(size.__closure__[[c for c in size.__code__.co_freevars].index("kept")].cell_contents) == 1
