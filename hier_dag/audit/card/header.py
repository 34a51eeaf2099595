"""The header of a model card: YAML as the Hugging Face Hub reads it, so that other tools do too."""

from __future__ import annotations

from typing import Any

import yaml

from hier_dag.audit.evidence.subject import Subject
from hier_dag.evaluate.figures import Figure, Figures
from hier_dag.evaluate.scored import HIER
from hier_dag.evaluate.words import setting_words

LIBRARY = "hier_dag"
_TASK = {"type": "recommendation", "name": "Top-k recommendation"}
_TAGS = ("recommendation", "recommender-system", "embeddings", "knowledge-graph", "transfer-learning", "hier")
_SHOWN = ("ndcg", "hr")


def header(about: Subject, shown: Figures | None) -> str:
    """The front matter, from `---` to `---`.

    Args:
        about: the version.
        shown: its figures; None where nothing was scored.
    """
    name = f"{about.platform}/{about.domain}"
    told: dict[str, Any] = {
        "library_name": LIBRARY,
        "tags": list(_TAGS),
        "datasets": [f"{about.platform}/{domain}" for domain in about.domains],
        "metrics": list(_SHOWN),
        "model_name": name,
        "version": about.row.version,
        "digest": about.row.digest,
    }
    if shown is None:
        del told["metrics"]
    else:
        told["model-index"] = [{"name": name, "results": _results(about, shown)}]
    return "---\n" + yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=110) + "---\n"


def _results(about: Subject, shown: Figures) -> list[dict[str, Any]]:
    """One result a setting; the data set's revision is the graph's digest."""
    graph = about.graph
    results = []
    for shots in shown.shots:
        found = [(m, f) for m in _SHOWN if (f := shown.get(m, shots, HIER)) is not None]
        data: dict[str, Any] = {
            "type": f"{about.platform}/{about.domain}",
            "name": about.title,
            "config": setting_words(shots),
            "split": "test",
        }
        if graph is not None:
            data["revision"] = graph.row.digest
        metrics = [_metric(metric, shown.k, figure) for metric, figure in found]
        results.append({"task": dict(_TASK), "dataset": data, "metrics": metrics})
    return results


def _metric(name: str, k: int, figure: Figure) -> dict[str, Any]:
    return {
        "type": name,
        "name": f"{name.upper()}@{k}",
        "value": round(figure.value, 6),
        "args": {"low": round(figure.low, 6), "high": round(figure.high, 6), "users": figure.users},
    }
