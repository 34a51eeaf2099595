"""The contract of a staged graph as checks: integrity, shapes, structure and drift of degrees."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ibis.backends.duckdb import Backend

from hier_dag.config.graph import GraphParams
from hier_dag.config.shapes import Shapes
from hier_dag.digest import digest_file
from hier_dag.errors import StoreError
from hier_dag.graph.files import PROFILE
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.graph.profile import profile
from hier_dag.pipeline.stages import GRAPH
from hier_dag.pipeline.workshop import Workshop
from hier_dag.registry import CheckRow
from schemas.graph_contract.conservation import conservation
from schemas.graph_contract.degree_drift import degree_drift
from schemas.graph_contract.integrity import integrity
from schemas.graph_contract.structure import structure
from schemas.graph_contract.view import GraphView
from schemas.shapes.check import check_shapes
from schemas.shapes.constraints import constraints_of, packaged_shapes
from schemas.shapes.turtle import to_turtle

SHAPES = "shapes.ttl"
REMEDIES = {
    "integrity": "this is a fault of the build, not of the data: report it; nothing was committed",
    "shapes": "mend the rows behind the nodes and edges named, or the shape itself (stages.graph.shapes); "
    "`severity: warning` lets a graph pass that breaks it",
    "structure": "look at the nodes named: a hub is often a default value or a bot, a small giant component "
    "a link table that is missing or keyed by other ids; or change stages.graph.max_hub_share or "
    "min_giant_share, or set stages.graph.structure: warn",
    "degree_drift": "compare the logs and links of the relations named with those of the last graph: a file "
    "may be missing or there twice; if the change is meant, raise stages.graph.max_degree_psi or set "
    "stages.graph.degree_drift: warn",
}


@dataclass(frozen=True)
class Accepted:
    """The last accepted graph, as far as a new one is compared with it."""

    digest: str
    profile: dict[str, Any]


@dataclass(frozen=True)
class Judged:
    """What the contract says of a staged graph.

    Attributes:
        profile: the profile that was written; None where the graph is too broken to have one.
        checks: integrity and shapes; structure and degree_drift where integrity holds.
        advisory: names of those that inform without blocking.
    """

    profile: dict[str, Any] | None
    checks: list[CheckRow]
    advisory: frozenset[str]


def judge_graph(
    con: Backend, staged: Path, graph: KnowledgeGraph, params: Mapping[str, Any], accepted: Accepted | None
) -> Judged:
    """Checks a staged graph and writes `shapes.ttl` and, where its integrity holds, `profile.json`.

    Args:
        con: the engine.
        staged: the staged folder, its tables, arrays and ledger written.
        graph: the graph as it reads back.
        params: the `contract` of a graph's request: limits, levels and further shapes.
        accepted: the last accepted graph; None where there is none.
    """
    view = GraphView(con, staged, graph)
    further = Shapes.model_validate({"shapes": params["shapes"]})
    constraints = constraints_of([*packaged_shapes().shapes, *further.shapes])
    (staged / SHAPES).write_text(to_turtle(constraints, view.relations), encoding="utf-8")
    failures = integrity(view) + conservation(view)
    broken = check_shapes(view, constraints)
    checks = [
        CheckRow("integrity", not failures, {"failures": [f.as_dict() for f in failures]}),
        CheckRow(
            "shapes",
            all(f.severity == "warning" for f in broken),
            {"constraints": len(constraints), "failures": [f.as_dict() for f in broken]},
        ),
    ]
    if failures:
        # What is counted over edges whose ends are no nodes says nothing.
        return Judged(None, checks, frozenset())
    limits = GraphParams.model_validate({k: v for k, v in params.items() if k != "shapes"})
    facts = profile(graph)
    text = json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False)
    (staged / PROFILE).write_text(text, encoding="utf-8")
    checks += [_structure(view, facts, limits), _drift(facts, limits, accepted)]
    levels = {"structure": limits.structure, "degree_drift": limits.degree_drift}
    return Judged(facts, checks, frozenset(name for name, level in levels.items() if level == "warn"))


def _structure(view: GraphView, facts: dict[str, Any], limits: GraphParams) -> CheckRow:
    found = structure(view, facts, limits)
    rows = [f.as_dict() for f in found.failures]
    return CheckRow("structure", not rows, {"failures": rows, **found.facts})


def _drift(facts: dict[str, Any], limits: GraphParams, accepted: Accepted | None) -> CheckRow:
    before = None if accepted is None else accepted.profile
    drifted, figures = degree_drift(before, facts, limits.max_degree_psi)
    against = None if accepted is None else accepted.digest
    return CheckRow("degree_drift", not drifted, {"compared_with": against, **figures})


def last_accepted(workshop: Workshop) -> Accepted | None:
    """The newest graph in the registry, by its profile alone; None where there is none that is whole."""
    digest = workshop.registry.latest(GRAPH, None)
    if digest is None:
        return None
    try:
        artifact = workshop.store.open(GRAPH, digest, verify=False)
        file = artifact.file(PROFILE)
        recorded = {f.path: f.sha256 for f in artifact.manifest.files}
        if digest_file(file) != recorded[PROFILE]:
            return None
        return Accepted(digest, artifact.json(PROFILE))
    except (StoreError, OSError):
        return None
