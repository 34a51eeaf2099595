"""The outcome of pre-training, complete in memory before any file is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray
from hier_dag.graph.training_pairs import Used
from hier_dag.model.encoding import Encoding
from hier_dag.model.formulation import Formulation
from hier_dag.train.params import PretrainParams


@dataclass(frozen=True)
class EpochRecord:
    """One epoch of the training curve.

    Attributes:
        epoch: 1-based.
        loss: weighted loss, mean over steps.
        terms: every unweighted loss term, mean over steps.
        ndcg: NDCG@10 on source validation, None without validation pairs.
        hr: HR@10 likewise.
        open_paths: share of gates open at the epoch's end.
        monitors: of the collapse monitors (`monitors.py`) those that could be measured, by name.
        seconds: wall time of the epoch, validation included.
    """

    epoch: int
    loss: float
    terms: dict[str, float]
    ndcg: float | None
    hr: float | None
    open_paths: float
    monitors: dict[str, float]
    seconds: float


@dataclass(frozen=True)
class Pretrained:
    """A pre-trained encoder.

    Attributes:
        model: the module, in evaluation mode, on CPU, with the best epoch's weights.
        params: what it was trained with.
        curve: one record an epoch.
        best_epoch: the epoch whose weights were kept.
        encoding: zero-shot vectors of the whole platform.
        gates: float32 [P, K], test gates Z.
        path_weights: float32 [P, K], mixing weights w of the paths (hier.md, literal 4).
        entities: float32 [n_entities, d], entity vectors.
        entity_seen: bool [n_entities], whether the entity sits on a source training item.
        entity_ids, entity_names: str object arrays [n_entities].
        sources: source domain names.
        intent_strength: float32 [P, sources], mean a_up over each source's users with history there.
        interaction_tables: what its decision paths over interactions and the rehearsal say, by file name;
            none without them.
        used: pairs that training was made of: every source's steps, and the history that is encoded without
            gradients.
    """

    model: Formulation
    params: PretrainParams
    curve: tuple[EpochRecord, ...]
    best_epoch: int
    encoding: Encoding
    gates: FloatArray
    path_weights: FloatArray
    entities: FloatArray
    entity_seen: NDArray[np.bool_]
    entity_ids: NDArray[np.object_]
    entity_names: NDArray[np.object_]
    sources: tuple[str, ...]
    intent_strength: FloatArray
    interaction_tables: Mapping[str, pa.Table] = field(default_factory=dict)
    used: tuple[Used, ...] = ()
