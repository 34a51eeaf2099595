"""A pre-trained encoder as files: safetensors, JSON and Parquet, nothing pickled."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file as load_tensors
from safetensors.torch import save_file as save_tensors

from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.model.formulation import Formulation
from hier_dag.model.registry import build_model
from hier_dag.model.source_view import source_view
from hier_dag.train.encoding_files import save_encoding, unreadable
from hier_dag.train.params import PretrainParams
from hier_dag.train.pretrained import Pretrained
from hier_dag.train.tables import curve_table, decision_path_table, exemplar_table, intent_table

MODEL = "model.safetensors"
CONFIG = "config.json"
TABLES = {
    "curve.parquet": curve_table,
    "decision_path.parquet": decision_path_table,
    "exemplars.parquet": exemplar_table,
    "intents.parquet": intent_table,
}


def save_encoder(pretrained: Pretrained, folder: Path) -> None:
    """Writes weights, configuration, encoding and the tables about them into a folder, creating it if needed.

    Equal encoders give equal bytes.

    Args:
        pretrained: the encoder.
        folder: where the files go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.contiguous() for name, tensor in pretrained.model.state_dict().items()}
    save_tensors(weights, folder / MODEL)
    save_encoding(pretrained.encoding, folder)
    (folder / CONFIG).write_text(json.dumps(_config(pretrained), indent=2, sort_keys=True) + "\n")
    for name, table in TABLES.items():
        pq.write_table(table(pretrained), folder / name)
    for name, described in pretrained.interaction_tables.items():
        pq.write_table(described, folder / name)


def load_model(folder: Path, graph: KnowledgeGraph) -> Formulation:
    """Rebuilds the trained module, on CPU and in evaluation mode.

    Args:
        folder: what `save_encoder` wrote.
        graph: the knowledge graph that the encoder was trained on.

    Raises:
        StoreError: a file is missing or torn, or the graph is another one.
    """
    file = folder / CONFIG
    try:
        params = PretrainParams(**json.loads(file.read_text())["params"])
        with torch.random.fork_rng(devices=[]):
            model = build_model(source_view(graph), params)
        file = folder / MODEL
        model.load_state_dict(load_tensors(file))
    except (OSError, SafetensorError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise unreadable(file, error) from error
    return model.eval()


def _config(pretrained: Pretrained) -> dict[str, Any]:
    view = pretrained.model.view
    best = pretrained.curve[pretrained.best_epoch - 1]
    return {
        "params": asdict(pretrained.params),
        "sizes": {
            "users": view.n_users,
            "items": view.n_items,
            "entities": view.n_entities,
            "content_nodes": view.n_nodes,
            "source_pairs": view.history.nnz,
            "neighbour_pairs": view.neighbours.nnz,
            "parameters": sum(p.numel() for p in pretrained.model.parameters()),
        },
        "sources": list(pretrained.sources),
        "best_epoch": pretrained.best_epoch,
        "validation": {"ndcg@10": best.ndcg, "hr@10": best.hr},
        "open_paths": float((pretrained.gates > 0).mean()),
    }
