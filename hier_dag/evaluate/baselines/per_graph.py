"""Keeps what a baseline derives from the sources for as long as their graph lives."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from hier_dag.graph.knowledge_graph import KnowledgeGraph

P = ParamSpec("P")
T = TypeVar("T")


def once_per_graph(function: Callable[..., T]) -> Callable[..., T]:
    """Caches `function(graph, *args)` by the graph's identity and the other, hashable arguments.

    A graph holds arrays and has no hash of its own; its results go when it goes.
    """
    kept: dict[int, dict[tuple[Any, ...], T]] = {}

    @functools.wraps(function)
    def cached(graph: KnowledgeGraph, *args: Any) -> T:
        key = id(graph)
        if key not in kept:
            kept[key] = {}
            weakref.finalize(graph, kept.pop, key, None)
        of_graph = kept[key]
        if args not in of_graph:
            of_graph[args] = function(graph, *args)
        return of_graph[args]

    return cached
