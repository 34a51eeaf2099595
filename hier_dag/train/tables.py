"""The tables that describe an encoder, as Arrow: curve, decision paths, exemplars, intents."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from hier_dag.graph.csr import FloatArray
from hier_dag.train.monitors import MONITORS
from hier_dag.train.pretrained import Pretrained

TOP_ENTITIES = 10


def curve_table(pretrained: Pretrained) -> pa.Table:
    """One row an epoch: epoch, loss, every loss term, ndcg, hr, open_paths, every monitor, kept.

    A monitor that could not be measured is null. It holds no wall time: equal trainings give equal bytes.
    """
    curve = pretrained.curve
    terms = list(curve[0].terms) if curve else []
    return pa.table(
        {
            "epoch": pa.array([e.epoch for e in curve], pa.int32()),
            "loss": pa.array([e.loss for e in curve], pa.float64()),
            **{name: pa.array([e.terms[name] for e in curve], pa.float64()) for name in terms},
            "ndcg": pa.array([e.ndcg for e in curve], pa.float64()),
            "hr": pa.array([e.hr for e in curve], pa.float64()),
            "open_paths": pa.array([e.open_paths for e in curve], pa.float64()),
            **{name: pa.array([e.monitors.get(name) for e in curve], pa.float64()) for name in MONITORS},
            "kept": pa.array([e.epoch == pretrained.best_epoch for e in curve], pa.bool_()),
        }
    )


def decision_path_table(pretrained: Pretrained) -> pa.Table:
    """All P × K cells: intent, exemplar, gate (test gate Z), weight (w, hier.md literal 4)."""
    gates = pretrained.gates
    intent, exemplar = np.indices(gates.shape, dtype=np.int32)
    return pa.table(
        {
            "intent": intent.ravel(),
            "exemplar": exemplar.ravel(),
            "gate": gates.ravel(),
            "weight": pretrained.path_weights.ravel(),
        }
    )


def exemplar_table(pretrained: Pretrained) -> pa.Table:
    """Each exemplar's nearest entities: exemplar, rank (1 is nearest), entity_id, entity_name, similarity.

    Similarity is cosine. Entities on no source training item are left out: pre-training says nothing of them.
    """
    known = np.flatnonzero(pretrained.entity_seen)
    exemplars = pretrained.model.paths.exemplars.detach().numpy()
    cosine = _unit(exemplars) @ _unit(pretrained.entities[known]).T
    top = np.argsort(-cosine, axis=1, kind="stable")[:, :TOP_ENTITIES]
    exemplar, rank = np.indices(top.shape, dtype=np.int32)
    entity = known[top.ravel()]
    return pa.table(
        {
            "exemplar": exemplar.ravel(),
            "rank": rank.ravel() + np.int32(1),
            "entity_id": pa.array(pretrained.entity_ids[entity], pa.string()),
            "entity_name": pa.array(pretrained.entity_names[entity], pa.string()),
            "similarity": np.take_along_axis(cosine, top, axis=1).ravel(),
        }
    )


def intent_table(pretrained: Pretrained) -> pa.Table:
    """How strongly each intent drives each source domain's users: intent, domain, strength (mean a_up)."""
    strength = pretrained.intent_strength
    intent, domain = np.indices(strength.shape, dtype=np.int32)
    return pa.table(
        {
            "intent": intent.ravel(),
            "domain": pa.array([pretrained.sources[n] for n in domain.ravel()], pa.string()),
            "strength": strength.ravel(),
        }
    )


def _unit(x: FloatArray) -> FloatArray:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
