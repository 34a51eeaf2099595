"""Samplers of neighbourhoods: ours against those of peers, in seconds and in whether a draw can be repeated.

A training that is resumed, or whose batch several ranks share, must draw the same sample again from the same
seed: in a fresh process, on any number of threads, whatever was drawn before. Run by `training.py`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hier_dag.graph.csr import from_coo
from hier_dag.graph.dgl_compat import dgl
from hier_dag.model.adjacency import Adjacency
from hier_dag.model.neighbourhood import Neighbourhood, neighbourhood

THREADS, LAYERS = 2, 2
OURS, DGL, PYG = "ours", "dgl sample_neighbors + to_block", "PyG NeighborLoader"
_WHERE = ("on_one_thread", "in_one_process", "in_two_processes", "after_other_draws")

Sampler = Callable[[int], Any]
"""Draws the neighbourhood with a seed, in whatever form its training would go on with."""


@dataclass(frozen=True)
class Draws:
    """What is drawn.

    Attributes:
        nodes, edges: of the random graph; edges that were drawn twice are one.
        wanted: nodes whose neighbourhood is drawn.
        fanout: neighbours of a node in a layer.
        rounds: that medians are over.
        seeds: that are drawn with again.
    """

    nodes: int = 200_000
    edges: int = 5_000_000
    wanted: int = 20_000
    fanout: int = 8
    rounds: int = 9
    seeds: int = 10


def sampled_graph(sizes: Draws) -> tuple[Adjacency, Tensor]:
    """A random graph, as means over neighbours, and the nodes that are wanted, int64, ascending."""
    rng = np.random.default_rng(0)
    code = np.unique(rng.integers(0, sizes.nodes**2, sizes.edges))  # each pair once, as peers have it
    csr = from_coo(code // sizes.nodes, code % sizes.nodes, sizes.nodes, sizes.nodes)
    wanted = np.sort(rng.choice(sizes.nodes, min(sizes.wanted, sizes.nodes), replace=False))
    return Adjacency.means(csr), torch.from_numpy(wanted)


def samplers(sizes: Draws) -> tuple[dict[str, Sampler], dict[str, str]]:
    """Those that can be run here by name, and why another is left out."""
    adjacency, wanted = sampled_graph(sizes)
    graph = dgl.graph((adjacency.indices, adjacency.row_of_entry()), num_nodes=adjacency.rows).formats("csc")

    def with_dgl(seed: int) -> list[Any]:
        dgl.seed(seed)
        out, blocks = wanted, []
        for _ in range(LAYERS):
            block = dgl.to_block(dgl.sampling.sample_neighbors(graph, out, sizes.fanout), out)
            blocks.append(block)
            out = block.srcdata[dgl.NID]
        return blocks

    ways: dict[str, Sampler] = {
        OURS: lambda seed: neighbourhood(adjacency, wanted, LAYERS, sizes.fanout, seed),
        DGL: with_dgl,
    }
    try:
        ways[PYG] = _geometric(adjacency, wanted, sizes.fanout)
    except ImportError as error:
        return ways, {PYG: str(error)}
    return ways, {}


def _geometric(adjacency: Adjacency, wanted: Tensor, fanout: int) -> Sampler:
    """PyTorch Geometric's sampler; unlike the others it draws no further neighbours of a node met before.

    Raises:
        ImportError: it, or its compiled half, is not installed.
    """
    from torch_geometric import seed_everything
    from torch_geometric.data import Data
    from torch_geometric.loader import NeighborLoader

    edges = torch.stack([adjacency.indices, adjacency.row_of_entry()])
    data = Data(edge_index=edges, num_nodes=adjacency.rows)
    loader = NeighborLoader(data, [fanout] * LAYERS, input_nodes=wanted, batch_size=len(wanted))
    next(iter(loader))

    def with_geometric(seed: int) -> Any:
        seed_everything(seed)
        return next(iter(loader))

    return with_geometric


def digest(drawn: Any) -> str:
    """What was drawn, whoever drew it: a hash of its edges between the graph's own nodes."""
    sha = hashlib.sha256()
    for pairs in _edges(drawn):
        order = np.lexsort(tuple(x.numpy() for x in pairs))
        for numbers in pairs:
            sha.update(numbers.numpy()[order].tobytes())
    return sha.hexdigest()


def _edges(drawn: Any) -> list[tuple[Tensor, Tensor]]:
    """Node that sends and node that receives of every edge, int64, by layer."""
    if isinstance(drawn, Neighbourhood):
        into, found = drawn.inputs, []
        for layer in drawn.layers:
            out = into[layer.own]
            found.append((into[layer.messages.indices], out[layer.messages.row_of_entry()]))
            into = out
        return found
    if isinstance(drawn, list):
        ends = [(block, *block.edges()) for block in drawn]
        return [(b.srcdata[dgl.NID][src], b.dstdata[dgl.NID][dst]) for b, src, dst in ends]
    return [(drawn.n_id[drawn.edge_index[0]], drawn.n_id[drawn.edge_index[1]])]


def sampling(sizes: Draws) -> dict[str, Any]:
    """Seconds of each sampler, edges drawn, and how many seeds gave the same sample again, by sampler."""
    _set_threads(THREADS)
    ways, left_out = samplers(sizes)
    took = interleaved({name: lambda way=way: way(0) for name, way in ways.items()}, sizes.rounds)
    twice = {name: [_same_twice(way, seed) for seed in range(sizes.seeds)] for name, way in ways.items()}
    _set_threads(1)
    alone = {name: [_same_twice(way, seed) for seed in range(sizes.seeds)] for name, way in ways.items()}
    _set_threads(THREADS)
    with ProcessPoolExecutor(3, mp_context=get_context("spawn"), max_tasks_per_child=1) as fresh:
        one, again, later = fresh.map(_digests, [sizes] * 3, [False, False, True])
    return {
        "samplers": {
            name: {
                "seconds": took[name],
                "edges": sum(len(src) for src, _ in _edges(way(0))),
                "same_on_one_thread": sum(alone[name]),
                "same_in_one_process": sum(twice[name]),
                "same_in_two_processes": _agreeing(one[name], again[name]),
                "same_after_other_draws": _agreeing(one[name], later[name]),
            }
            for name, way in ways.items()
        },
        "left_out": left_out,
    }


def _same_twice(way: Sampler, seed: int) -> bool:
    return digest(way(seed)) == digest(way(seed))


def _agreeing(one: list[str], other: list[str]) -> int:
    return sum(a == b for a, b in zip(one, other, strict=True))


def _digests(sizes: Draws, history: bool) -> dict[str, list[str]]:
    """What each sampler draws with each seed.

    Args:
        sizes: of what.
        history: whether something else is drawn before each, as in a training that was not just resumed.
    """
    _set_threads(THREADS)
    found: dict[str, list[str]] = {}
    for name, way in samplers(sizes)[0].items():
        found[name] = []
        for seed in range(sizes.seeds):
            if history:
                way(1_000 + seed)
            found[name].append(digest(way(seed)))
    return found


def interleaved(works: dict[Any, Callable[[], Any]], rounds: int) -> dict[Any, float]:
    """Median seconds of each; every round does all of them, the first to warm up."""
    took: dict[Any, list[float]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            if turn:
                took[name].append(time.perf_counter() - began)
    return {name: median(values) for name, values in took.items()}


def _set_threads(n: int) -> None:
    """Torch and DGL count their threads apart."""
    torch.set_num_threads(n)
    dgl.utils.set_num_threads(n)


def show_samplers(found: dict[str, Any]) -> None:
    """Prints what `sampling` found."""
    draws = found["draws"]
    around = f"{draws['fanout']} neighbours around {draws['wanted']:,} of {draws['nodes']:,} nodes"
    print(f"{LAYERS} layers of {around}, and how many of {draws['seeds']} seeds give the same sample")
    print(
        f"again on one thread, on {THREADS}, in a fresh process, and in one that drew something else before"
    )
    for name, way in found["samplers"].items():
        same = [way[f"same_{where}"] for where in _WHERE]
        print(f"  {name:36} {way['seconds']:8.3f} s {way['edges']:10,} edges", *(f"{n:4}" for n in same))
    for name, reason in found["left_out"].items():
        print(f"  {name} left out: {reason}")
