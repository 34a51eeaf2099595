"""Message passing kernels against those of peers: seconds of forward and backward, interleaved in one run.

    python -m benchmarks.kernels [--nodes 200000] [--edges 5000000] [--json]

Every contestant aggregates the same vectors over the same random edges and is checked against ours, values
and gradients, before it is timed. PyTorch Geometric takes part where it can be imported (`pip install
torch_geometric` into an environment that has this project too). Three bounds are printed with their figures.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hier_dag.graph.csr import from_coo
from hier_dag.graph.dgl_compat import dgl
from hier_dag.model.adjacency import Adjacency
from hier_dag.model.message_passing import attend, spmm

Kernel = Callable[..., Tensor]
"""Aggregates: called with the leaves, it returns float32 [nodes, d]."""

DGL, OURS, CSR, INDEX_ADD = "dgl update_all", "ours, by default", "ours, torch CSR", "torch index_add"


def means(adj: Adjacency) -> dict[str, Kernel]:
    """Mean aggregation, by contestant; each is called with the vectors [nodes, d]."""
    block, row, scale = adj.dgl_block(), adj.row_of_entry(), adj.scale
    assert scale is not None
    matrix = torch.sparse_csr_tensor(
        adj.indptr, adj.indices, scale[row], size=(adj.rows, adj.cols), check_invariants=False
    )

    def update_all(x: Tensor) -> Tensor:
        with block.local_scope():
            block.srcdata["h"] = x
            block.update_all(dgl.function.copy_u("h", "m"), dgl.function.mean("m", "out"))
            return block.dstdata["out"]

    def index_add(x: Tensor) -> Tensor:
        return x.new_zeros(adj.rows, x.shape[1]).index_add(0, row, x[adj.indices]) * scale[:, None]

    return {
        DGL: update_all,
        OURS: lambda x: spmm(adj, x),
        CSR: lambda x: spmm(adj, x, "torch"),
        "torch.sparse.mm": lambda x: torch.sparse.mm(matrix, x),
        INDEX_ADD: index_add,
        **_geometric(adj, scale),
    }


def _geometric(adj: Adjacency, scale: Tensor) -> dict[str, Kernel]:
    """PyTorch Geometric's two ways, where it is installed."""
    try:
        from torch_geometric import EdgeIndex
        from torch_geometric.nn import SimpleConv
    except ImportError:
        return {}
    row = adj.row_of_entry()
    by_row = EdgeIndex(torch.stack([row, adj.indices]), sparse_size=(adj.rows, adj.cols), sort_order="row")
    by_row.fill_cache_()
    messages, conv = torch.stack([adj.indices, row]), SimpleConv(aggr="mean")
    return {
        "PyG EdgeIndex.matmul": lambda x: by_row.matmul(x) * scale[:, None],
        "PyG propagate": lambda x: conv(x, messages),
    }


def attentions(adj: Adjacency) -> dict[str, Kernel]:
    """Softmax-weighted aggregation, by contestant; each is called with vectors and scores [edges]."""
    block, row = adj.dgl_block(), adj.row_of_entry()

    def with_dgl(x: Tensor, scores: Tensor) -> Tensor:
        return dgl.ops.u_mul_e_sum(block, x, dgl.ops.edge_softmax(block, scores[:, None]))

    def scatter(x: Tensor, scores: Tensor) -> Tensor:
        top = scores.new_full((adj.rows,), -torch.inf).scatter_reduce(0, row, scores.detach(), "amax")
        exp = torch.exp(scores - top[row])
        share = exp / exp.new_zeros(adj.rows).index_add(0, row, exp)[row]
        return x.new_zeros(adj.rows, x.shape[1]).index_add(0, row, share[:, None] * x[adj.indices])

    return {
        "dgl edge_softmax + u_mul_e_sum": with_dgl,
        OURS: lambda x, scores: attend(adj, scores, x),
        "torch scatter": scatter,
    }


def race(kernels: dict[str, Kernel], leaves: list[Tensor], repeats: int) -> dict[str, float]:
    """Median seconds of forward and backward; every round runs all of them, the first to warm up and check.

    Raises:
        AssertionError: a contestant's values or gradients are not ours.
    """
    took: dict[str, list[float]] = {name: [] for name in kernels}
    inputs = [leaf.requires_grad_() for leaf in leaves]
    weight = torch.randn(leaves[0].shape, generator=torch.Generator().manual_seed(1))
    wanted = _pass(kernels[OURS], inputs, weight)
    for turn in range(repeats + 1):
        for name, kernel in kernels.items():
            began = time.perf_counter()
            got = _pass(kernel, inputs, weight)
            seconds = time.perf_counter() - began
            if turn:
                took[name].append(seconds)
            else:
                for have, want in zip(got, wanted, strict=True):
                    torch.testing.assert_close(have, want, atol=1e-3, rtol=1e-3, msg=f"{name} differs")
    return {name: median(values) for name, values in took.items()}


def _pass(kernel: Kernel, inputs: list[Tensor], weight: Tensor) -> list[Tensor]:
    out = kernel(*inputs)
    return [out.detach(), *torch.autograd.grad(out, inputs, weight)]


def bounds(seconds: dict[str, float]) -> list[dict[str, Any]]:
    """What must hold of mean aggregation, with what was measured."""
    slower = max(seconds[OURS], seconds[CSR])
    return [
        {"what": f"{OURS} / {DGL}", "figure": seconds[OURS] / seconds[DGL], "most": 1.0},
        {"what": f"{CSR} / {DGL}", "figure": seconds[CSR] / seconds[DGL], "most": 2.2},
        {"what": f"{INDEX_ADD} / the slower of ours", "figure": seconds[INDEX_ADD] / slower, "least": 9.0},
    ]


def measure(nodes: int, edges: int, dim: int, threads: int, repeats: int) -> dict[str, Any]:
    """Races both aggregations over one random graph."""
    torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    csr = from_coo(rng.integers(0, nodes, edges), rng.integers(0, nodes, edges), nodes, nodes)
    adj, generator = Adjacency.means(csr), torch.Generator().manual_seed(0)
    x, scores = torch.randn(nodes, dim, generator=generator), torch.randn(csr.nnz, generator=generator)
    mean = race(means(adj), [x], repeats)
    attention = race(attentions(adj), [x, scores], repeats)
    sizes = {"nodes": nodes, "edges": edges, "dim": dim, "threads": threads, "repeats": repeats}
    return {**sizes, "load": os.getloadavg()[0], "mean_s": mean, "attention_s": attention,
            "bounds": bounds(mean)}  # fmt: skip


def show(found: dict[str, Any]) -> None:
    """Prints seconds, ratios to the first contestant and what must hold."""
    for title in ("mean", "attention"):
        seconds = found[f"{title}_s"]
        first = next(iter(seconds))
        print(f"{title}: seconds, and times those of {first}")
        for name, value in seconds.items():
            print(f"  {name:32} {value:8.3f} {value / seconds[first]:8.2f}")
    for bound in found["bounds"]:
        word = "most" if "most" in bound else "least"
        held = bound["figure"] <= bound[word] if word == "most" else bound["figure"] >= bound[word]
        verdict = "holds" if held else "MISSED"
        print(f"must hold: {bound['what']} = {bound['figure']:.2f}, at {word} {bound[word]}: {verdict}")


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=200_000)
    parser.add_argument("--edges", type=int, default=5_000_000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    arguments = vars(parser.parse_args())
    as_json = arguments.pop("json")
    found = measure(**arguments)
    if as_json:
        print(json.dumps(found, indent=1))
    else:
        show(found)


if __name__ == "__main__":
    main()
