"""Shows that a graph knows nothing that is held out, and a source's edges nothing after the cut.

Sets of hashed pairs are disjoint where no hash is in both; where one is, the pairs themselves decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hier_dag.errors import ContractError
from hier_dag.graph.certificate import Certificate
from hier_dag.graph.knowledge_graph import TEST, TRAIN, VALIDATION, Interactions, KnowledgeGraph
from hier_dag.graph.pair_hashes import HASH, NodeHashes, Pairs, digest_of_hashes, distinct, in_both, joined

Times = NDArray[np.datetime64]

SHOWN = 5
_AT_ONCE = 2
_SPLIT_NAMES = {VALIDATION: "validation", TEST: "test"}
_FIX = "this is a fault of the build, not of the data: report it; nothing was committed"


def certify(
    graph: KnowledgeGraph, nodes: NodeHashes, first: Mapping[str, Times], cut: datetime | None
) -> Certificate:
    """Proves that no edge is held out by any domain, and that no edge of a source began at the cut or later.

    Args:
        graph: the graph as it is stored.
        nodes: hashes of its users and items.
        first: per domain, time of each of its pairs' first event, datetime64[us] UTC [pairs], NaT where none
            is known, in the order of `graph.interactions`.
        cut: the platform's cut; None where no domain is split by time.

    Returns:
        counts, digests of the sets and the number of pairs in both (0).

    Raises:
        ContractError: naming the domain, up to five edges, and where each is held out or when it began.
    """
    held = {d: held_out_pairs(graph, nodes, d) for d in graph.interactions}
    everything = joined(held.values())
    hashes = distinct(everything.ordered)

    def certified(domain: str) -> dict[str, Any]:
        csr = graph.interacts[domain]
        edges = nodes.of(csr.row_of_entry(), csr.indices)
        _refuse_held_out(graph, domain, edges, in_both(edges, everything))
        _refuse_strays(graph, domain, edges)
        source = domain in graph.sources
        times = first[domain][graph.interactions[domain].split == TRAIN]
        if source and cut is not None:
            _refuse_late(graph, domain, edges, times, cut)
        return {
            "role": "source" if source else "target",
            "edges": len(edges),
            "edges_sha256": digest_of_hashes(edges.ordered),
            "held_out": len(held[domain]),
            # Without a cut nobody asks for times; a target's edges are read by transfer to it alone.
            "undated": int(np.isnat(times).sum()) if source and cut is not None else None,
            "after_cut": 0 if source and cut is not None else None,
        }

    # Sorting and hashing leave Python's lock alone, so that two domains are certified at once.
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        domains = dict(zip(graph.interacts, pool.map(certified, graph.interacts), strict=True))
    record = {
        "hash": HASH,
        "cut": None if cut is None else cut.astimezone(UTC).isoformat(),
        "domains": domains,
        "edges": sum(d["edges"] for d in domains.values()),
        "held_out_pairs": len(hashes),
        "held_out_sha256": digest_of_hashes(hashes),
        "in_both": 0,
    }
    return Certificate(record, hashes, nodes)


def held_out_pairs(graph: KnowledgeGraph, nodes: NodeHashes, domain: str) -> Pairs:
    """A domain's validation and test pairs."""
    pairs = graph.interactions[domain]
    held = pairs.split != TRAIN
    return nodes.of(pairs.user[held], pairs.item[held])


def holders_of(interactions: Mapping[str, Interactions], user: int, item: int) -> list[str]:
    """Which domains hold a pair out, and in which split: such as ["test of cafe"]."""
    return [
        f"{_SPLIT_NAMES[int(split)]} of {domain}"
        for domain, pairs in interactions.items()
        for split in pairs.split[(pairs.user == user) & (pairs.item == item) & (pairs.split != TRAIN)]
    ]


def named(graph: KnowledgeGraph, pairs: Pairs) -> list[dict[str, Any]]:
    """The first few of some pairs by their ids: user, item."""
    ids = zip(graph.user_ids[pairs.user[:SHOWN]], graph.item_ids[pairs.item[:SHOWN]], strict=True)
    return [{"user": str(user), "item": str(item)} for user, item in ids]


def _refuse_held_out(graph: KnowledgeGraph, domain: str, edges: Pairs, at: NDArray[np.int64]) -> None:
    if not len(at):
        return
    leaked = edges.take(at)
    shown = named(graph, leaked)
    for n, pair in enumerate(shown):
        pair["held_out_by"] = holders_of(graph.interactions, int(leaked.user[n]), int(leaked.item[n]))
    told = "; ".join(f"user {p['user']}, item {p['item']}: {', '.join(p['held_out_by'])}" for p in shown)
    raise _refusal(f"{len(at)} edge(s) are held-out interactions ({told}).", domain, len(at), shown)


def _refuse_late(graph: KnowledgeGraph, domain: str, edges: Pairs, times: Times, cut: datetime) -> None:
    """Refuses edges of a source that began at the cut or after it; they are in the order of `times`."""
    late = np.flatnonzero(times >= instant(cut))
    if not len(late):
        return
    shown = named(graph, edges.take(late))
    for pair, time in zip(shown, times[late], strict=False):
        pair["first"] = f"{time}Z"
    told = "; ".join(f"user {p['user']}, item {p['item']}: {p['first']}" for p in shown)
    words = f"{len(late)} edge(s) began at the cut {cut.isoformat()} or after it ({told})."
    raise _refusal(words, domain, len(late), shown)


def _refuse_strays(graph: KnowledgeGraph, domain: str, edges: Pairs) -> None:
    """Refuses edges that are no training pair of their domain, and training pairs that are no edge."""
    pairs = graph.interactions[domain]
    train = pairs.split == TRAIN
    user, item = pairs.user[train], pairs.item[train]
    if np.array_equal(edges.user, user) and np.array_equal(edges.item, item):
        return
    of_edges, of_pairs = (u * graph.n_items + i for u, i in ((edges.user, edges.item), (user, item)))
    stray = np.flatnonzero(~np.isin(of_edges, of_pairs))
    if len(stray):
        shown = named(graph, edges.take(stray))
        told = "; ".join(f"user {p['user']}, item {p['item']}" for p in shown)
        words = f"{len(stray)} edge(s) are no training pair of the domain ({told})."
        raise _refusal(words, domain, len(stray), shown)
    raise _refusal(
        f"{len(edges)} edges for {len(user)} training pairs, or in another order.",
        domain,
        abs(len(edges) - len(user)),
        [],
    )


def instant(time: datetime) -> np.datetime64:
    """An instant as NumPy has it, in UTC and microseconds."""
    return np.datetime64(time.astimezone(UTC).replace(tzinfo=None), "us")


def _refusal(words: str, domain: str, count: int, shown: list[dict[str, Any]]) -> ContractError:
    return ContractError(words, domain=domain, fix=_FIX, detail={"leaked": count, "sample": shown})
