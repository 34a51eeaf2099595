"""Builds kg/graph from the validated artifacts of every domain, then its contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hier_dag.builds.events import Connect
from hier_dag.builds.graph_contract import REMEDIES, judge_graph, last_accepted
from hier_dag.builds.graph_flows import check_entered
from hier_dag.config import PlatformConfig
from hier_dag.graph.build import build_graph as write_graph
from hier_dag.graph.hetero import agrees
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import EVENTS, GRAPH, LINKS
from hier_dag.pipeline.workshop import Built, Workshop
from hier_dag.progress import Step, tell
from hier_dag.registry import CheckRow
from schemas.columns import columns_of


def build_graph(
    config: PlatformConfig, request: Request, staged: Path, workshop: Workshop, connect: Connect
) -> Built:
    """Writes the knowledge graph into a staged folder and checks it.

    Args:
        config: the platform.
        request: as `graph_request` gives it.
        staged: an empty folder.
        workshop: where the parents are opened.
        connect: opens the data engine.

    Raises:
        ContractError: when an edge is held out by a domain or began after the cut, or a row went missing.
    """
    parents = {d: workshop.open(EVENTS, request.parents[f"events:{d}"]) for d in config.domains}
    events = {d: artifact.files("events/") for d, artifact in parents.items()}
    links = workshop.open(LINKS, request.parents["links"])
    tell(Step(GRAPH, "nodes, splits and edges", 0, 2))
    with connect() as con:
        graph = write_graph(con, config, events, links.path, staged)
        check_entered(staged, parents, links)
        tell(Step(GRAPH, "contract", 1, 2))
        judged = judge_graph(con, staged, graph, request.params["contract"], last_accepted(workshop))
    certificate = json.loads((staged / "leakage.json").read_bytes())
    checks = [
        CheckRow("all_domains", True, {"domains": sorted(events)}),
        CheckRow("no_leakage", certificate["in_both"] == 0, certificate),
        *judged.checks,
    ]
    profile = judged.profile
    if profile is None:
        return Built(checks=checks, remedies=REMEDIES)
    tell(Step(GRAPH, f"{sum(profile['edges']['interacts'].values()):,} interactions", 2, 2))
    return Built(
        tables={
            p.relative_to(staged).as_posix(): columns_of(GRAPH, p) for p in sorted(staged.rglob("*.parquet"))
        },
        summary={
            **profile["nodes"],
            "interacts_edges": sum(profile["edges"]["interacts"].values()),
            "has_entity_edges": profile["edges"]["has_entity"],
            "entity_entity_edges": profile["edges"]["entity_entity"],
            "social_edges": profile["edges"]["social"],
            "bridging_users": profile["bridges"]["users"],
            "bridging_entities": profile["bridges"]["entities"],
            "components": profile["components"]["count"],
            "giant_share": profile["components"]["giant_share"],
        },
        checks=[*checks, _heterograph(graph, profile)],
        advisory=judged.advisory,
        remedies=REMEDIES,
    )


def _heterograph(graph: KnowledgeGraph, profile: dict[str, Any]) -> CheckRow:
    found = agrees(graph)
    edges = profile["edges"]
    wanted = sum(edges["interacts"].values()) + sum(v for k, v in edges.items() if k != "interacts")
    whole = found["nodes"] == sum(profile["nodes"].values()) and found["edges"] == wanted
    return CheckRow("heterograph", whole and found["shared_without_copy"] == found["relations"], found)
