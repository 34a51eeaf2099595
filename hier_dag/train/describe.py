"""From a trained module to the complete outcome of pre-training."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hier_dag.graph.csr import FloatArray
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.model.formulation import Formulation
from hier_dag.train.interaction_tables import interaction_tables
from hier_dag.train.params import PretrainParams
from hier_dag.train.pretrained import EpochRecord, Pretrained
from hier_dag.train.rehearsal import TABLE, players, rehearsal_table, rehearse

_USER_BLOCK = 1 << 15


def describe(
    model: Formulation, graph: KnowledgeGraph, params: PretrainParams, curve: list[EpochRecord], best: int
) -> Pretrained:
    """Everything that is written about a trained model, which must be in evaluation mode on CPU.

    Args:
        model: the best epoch's module.
        graph: what it was trained on.
        params: what it was trained with.
        curve: one record an epoch.
        best: number of the epoch kept.
    """
    view, paths = model.view, model.paths
    with torch.no_grad():
        gates = paths.gates()
        entities = model.encode_nodes()[: graph.n_entities]
        encode = model.user_encoder()
        encoding = model.encode()
        trust = rehearse(graph, view, encoding, params)
        encoding = dataclasses.replace(encoding, trust=trust)
        over = encoding.interactions
        strength = [_strength(model, encode, graph.interacts[d].degrees() > 0) for d in graph.sources]
        return Pretrained(
            model=model,
            params=params,
            curve=tuple(curve),
            best_epoch=best,
            encoding=encoding,
            gates=gates.numpy(),
            path_weights=paths.weights(gates).numpy(),
            entities=entities.numpy(),
            entity_seen=view.seen[: graph.n_entities],
            entity_ids=graph.entity_ids,
            entity_names=graph.entity_names,
            sources=graph.sources,
            intent_strength=np.stack(strength, axis=1),
            # What a control's paths lead to has no meaning to be named after.
            interaction_tables=(
                interaction_tables(over, view, graph)
                if over is not None and params.interaction_paths == "topics"
                else {}
            )
            | ({} if trust is None else {TABLE: rehearsal_table(trust, players(graph))}),
        )


def _strength(
    model: Formulation, encode: Callable[[Tensor], Tensor], members: NDArray[np.bool_]
) -> FloatArray:
    """Mean a_u over some users, float32 [P]; zeros where there are none."""
    users = torch.from_numpy(np.flatnonzero(members))
    total = torch.zeros(model.params.intents)
    for block in users.split(_USER_BLOCK) if len(users) else ():
        total += model.paths.attention(encode(block)).sum(0)
    return (total / max(1, len(users))).numpy()
