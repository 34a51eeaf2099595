"""The GPU benchmark runs without one, on the same platform whatever the device."""

import numpy as np
import torch

from benchmarks import gpu
from benchmarks.gpu import generated, measure
from hier_dag.graph.knowledge_graph import VALIDATION


def test_its_platform_is_of_the_size_asked_for_and_holds_each_pair_once():
    graph = generated(50_000)
    pairs = [graph.interacts[d].nnz for d in graph.sources]
    assert 0.7 * 50_000 < sum(pairs) <= 50_000  # pairs drawn twice are one
    for domain in graph.sources:
        log = graph.interactions[domain]
        codes = log.user * graph.n_items + log.item
        assert len(np.unique(codes)) == len(codes)
        assert 0.01 < (log.split == VALIDATION).mean() < 0.03
    # A tenth of the items has a third of the pairs, where users take so many of so few.
    count = np.sort(np.bincount(graph.interacts["a"].indices, minlength=graph.n_items))[::-1]
    assert count[: len(count) // 10].sum() > 0.3 * count.sum()


def test_the_cpu_run_gives_every_figure(monkeypatch):
    matrices = tuple(
        (name, rows // 100, cols // 100, n // 100, power) for name, rows, cols, n, power in gpu._MATRICES
    )
    monkeypatch.setattr(gpu, "_MATRICES", matrices)
    found = dict(measure(torch.device("cpu"), 20_000, steps=2, batch_sizes=[512, 2048], epochs=1))
    assert found["device"]["copied_bytes_per_s"] > 0
    assert [m["share_of_copy"] > 0 for name, m in found.items() if "aggregation" in name] == [True] * 3
    for size in (512, 2048):
        steps = found[f"steps of {size} pairs"]
        assert steps["speed_up"] == 1
        assert steps["pairs_per_s"] > 0
        assert steps["losses"] == steps["cpu_losses"]
        assert all(np.isfinite(steps["losses"]))
    assert found["whole pre-training"]["seconds"] > 0
    assert np.isfinite(found["whole pre-training"]["losses"]).all()
