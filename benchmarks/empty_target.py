"""How good zero-shot vectors are for a domain without one logged interaction.

The sample platform plants the interactions that its empty target would have had. Nothing of the pipeline
reads them; here they judge the published vectors, next to the untrained entity profile and chance. Run it
after `hier demo`: `python benchmarks/empty_target.py`.
"""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hier_dag.config import load_config
from hier_dag.evaluate.metrics import declared_metrics
from hier_dag.graph.files import load_graph
from hier_dag.graph.knowledge_graph import TEST, Interactions, KnowledgeGraph
from hier_dag.home import SAMPLE_DOMAINS, home_of
from hier_dag.pipeline.stages import GRAPH, MODEL
from hier_dag.registry import Registry
from hier_dag.store import ArtifactStore
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.save import load_vectors
from hier_dag.transfer.score import score_setting

DOMAIN = "meal_kits"


def numbers(ids: NDArray[np.object_], wanted: NDArray[np.object_]) -> NDArray[np.int64]:
    """Dense number of each id, -1 where the graph has no such node (`ids` ascend)."""
    at = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.where(ids[at] == wanted, at, -1)


def with_truth(graph: KnowledgeGraph, user: NDArray[np.object_], item: NDArray[np.object_]) -> KnowledgeGraph:
    """The graph, its empty target holding the planted interactions as test pairs."""
    u, i = numbers(graph.user_ids, user), numbers(graph.item_ids, item)
    known = np.isin(u, graph.audience[DOMAIN]) & np.isin(i, graph.catalogue[DOMAIN])
    pairs = np.unique(np.stack([u[known], i[known]]), axis=1)
    n = pairs.shape[1]
    test = Interactions(
        user=pairs[0],
        item=pairs[1],
        split=np.full(n, TEST, np.int8),
        shot_rank=np.zeros(n, np.int32),
        share_rank=np.zeros(n),
        weight=np.ones(n, np.float32),
    )
    return dataclasses.replace(graph, interactions={**graph.interactions, DOMAIN: test})


def main() -> None:
    """Prints NDCG and HR of every model on the planted interactions."""
    config = load_config(SAMPLE_DOMAINS)
    home = home_of(config.platform)
    store, registry = ArtifactStore(home.store), Registry(home.registry_url, platform=home.platform)
    model = registry.latest(MODEL, DOMAIN)
    if model is None:
        raise SystemExit("run `hier demo` first")
    folder = store.open(GRAPH, registry.parents(model)["graph"]).path
    truth = pq.read_table(config.data_dir() / "truth" / "empty_target_interactions.parquet")
    user, item = (truth[c].to_numpy(zero_copy_only=False).astype(object) for c in ("user_id", "item_id"))
    graph = with_truth(load_graph(folder, config.source_names, config.target_names), user, item)
    params = TransferParams(shots=(), seeds=(0, 1, 2))
    scored = score_setting(graph, DOMAIN, None, [load_vectors(store.open(MODEL, model).path)], params)
    names = [f"{m.name}@{m.k}" for m in declared_metrics(params.cutoffs)]
    for one in scored:
        figures = {n: round(float(v), 4) for n, v in zip(names, one.values.mean(axis=0), strict=True)}
        print(json.dumps({"model": one.model, "users": len(one.values), **figures}))


if __name__ == "__main__":
    main()
