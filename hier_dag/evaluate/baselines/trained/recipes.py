"""The trained baselines by name, each with its tuned recipe."""

from __future__ import annotations

from dataclasses import replace

from hier_dag.evaluate.baselines.base import Baseline, Evidence, register
from hier_dag.evaluate.baselines.trained.fitting import Recipe, fit
from hier_dag.evaluate.baselines.trained.kgin import KGIN
from hier_dag.evaluate.baselines.trained.lightgcn import LightGCN
from hier_dag.evaluate.baselines.trained.recommender import Recommender
from hier_dag.evaluate.baselines.trained.training import Training
from hier_dag.evaluate.baselines.trained.xsimgcl import XSimGCL
from hier_dag.evaluate.ranking import Scorer
from hier_dag.graph.knowledge_graph import KnowledgeGraph

DIM = 64


def matrix_factorisation(graph: KnowledgeGraph) -> Recommender:
    """Free vectors without propagation."""
    return LightGCN(graph.n_users, graph.n_items, DIM, layers=0)


def two_layer_lightgcn(graph: KnowledgeGraph) -> Recommender:
    """LightGCN with two layers."""
    return LightGCN(graph.n_users, graph.n_items, DIM, layers=2)


def two_layer_xsimgcl(graph: KnowledgeGraph) -> Recommender:
    """XSimGCL with two layers."""
    return XSimGCL(graph.n_users, graph.n_items, DIM, layers=2)


def two_layer_kgin(graph: KnowledgeGraph) -> Recommender:
    """KGIN with two layers and four intents."""
    return KGIN(graph, DIM, layers=2)


# Each is the best of eight (steps, learning rate, decay) on held-out few-shot pairs of two platforms, by
# benchmarks/tune_baselines.py; the popularity weight is the best of eight on top of LightGCN's winner.
_SOURCES = Training(steps=200, decay=1e-2)
_SLOWLY = Training(steps=60, learning_rate=0.005, decay=1e-2)
_LIGHTGCN = Recipe(two_layer_lightgcn, _SOURCES, _SLOWLY)

RECIPES: dict[str, Recipe] = {
    "mf": Recipe(matrix_factorisation, _SOURCES, _SLOWLY),
    "lightgcn_few_shot": Recipe(two_layer_lightgcn, None, _SLOWLY),
    "lightgcn": _LIGHTGCN,
    "lightgcn_popularity": replace(_LIGHTGCN, popularity=0.5),
    "xsimgcl": Recipe(two_layer_xsimgcl, _SOURCES, _SLOWLY),
    "kgin": Recipe(two_layer_kgin, _SOURCES, _SLOWLY),
}

_ZERO_SHOT = frozenset({"kgin"})
"""Those that place an item nobody has visited by its entities; for the others it is a random vector."""


def _baseline(name: str) -> Baseline:
    recipe = RECIPES[name]

    def baseline(evidence: Evidence) -> Scorer | None:
        return None if evidence.zero_shot and name not in _ZERO_SHOT else fit(evidence, recipe)

    return baseline


for _name in RECIPES:
    register(_name, kind="trained")(_baseline(_name))
