"""kg/graph: users, items and entities of all domains, typed edges, splits."""

from pathlib import Path
from typing import Any

import dagster as dg

from assets.commit import Reported, write_audit_publish
from assets.keys import EVENTS_KEY, GRAPH_KEY, LINKS_KEY, OWNERS, check_specs
from assets.metadata import column_lineage, column_schema, markdown_table
from hier_dag.config import PlatformConfig
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import CODE_VERSIONS, EVENTS, GRAPH, LINKS
from hier_dag.pipeline.workshop import Built, Outcome, Workshop
from hier_dag.progress import Step, tell
from hier_dag.registry import CheckRow
from resources import ArtifactStoreResource, DataEngine, RegistryResource


def kg_graph(config: PlatformConfig) -> dg.AssetsDefinition:
    """The asset, for one platform."""

    @dg.asset(
        key=GRAPH_KEY,
        deps=[EVENTS_KEY, LINKS_KEY],
        group_name="kg",
        kinds={"duckdb", "dgl"},
        owners=OWNERS,
        code_version=CODE_VERSIONS[GRAPH],
        check_specs=check_specs(
            GRAPH_KEY,
            ("all_domains", "The validated artifact of every declared domain is a parent."),
            ("integrity", "Node numbers are dense, ids unique, and both ends of every edge are nodes."),
            ("no_leakage", "No validation or test interaction of any domain is an edge."),
            ("heterograph", "The DGL heterograph has every node and edge, and shares the arrays' memory."),
        ),
        description="The knowledge graph: users, items and entities of all domains numbered once, typed "
        "edges in CSR, each domain's split, a profile and a leakage certificate.",
    )
    def graph(
        context: dg.AssetExecutionContext,
        store: ArtifactStoreResource,
        registry: RegistryResource,
        engine: DataEngine,
    ) -> Reported:
        from hier_dag.pipeline.requests import graph_request

        yield from write_audit_publish(
            context,
            store,
            registry,
            lambda workshop: graph_request(config, workshop.registry),
            lambda workshop, request, staged: _build(config, request, staged, workshop, engine),
            show=_show,
        )

    return graph


def _build(
    config: PlatformConfig, request: Request, staged: Path, workshop: Workshop, engine: DataEngine
) -> Built:
    from hier_dag.graph.build import build_graph
    from schemas.audits import audit_graph
    from schemas.columns import columns_of

    events = {
        d: workshop.open(EVENTS, request.parents[f"events:{d}"]).files("events/") for d in config.domains
    }
    links = workshop.open(LINKS, request.parents["links"]).path
    tell(Step(GRAPH, "nodes, splits and edges", 0, 2))
    with engine.connect() as con:
        graph = build_graph(con, config, events, links, staged)
        tell(Step(GRAPH, "integrity", 1, 2))
        failures = audit_graph(con, staged, graph)
    profile = _json(staged / "profile.json")
    certificate = _json(staged / "leakage.json")
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
        },
        checks=[
            CheckRow("all_domains", True, {"domains": sorted(events)}),
            CheckRow("integrity", not failures, {"failures": [f.as_dict() for f in failures]}),
            CheckRow("no_leakage", certificate["in_both"] == 0, certificate),
            _heterograph(graph, profile),
        ],
    )


def _heterograph(graph: Any, profile: dict[str, Any]) -> CheckRow:
    from hier_dag.graph.hetero import agrees

    found = agrees(graph)
    edges = profile["edges"]
    wanted = sum(edges["interacts"].values()) + sum(v for k, v in edges.items() if k != "interacts")
    whole = found["nodes"] == sum(profile["nodes"].values()) and found["edges"] == wanted
    return CheckRow("heterograph", whole and found["shared_without_copy"] == found["relations"], found)


def _json(path: Path) -> Any:
    import json

    return json.loads(path.read_bytes())


def _show(_: Workshop, outcome: Outcome) -> dict[str, Any]:
    artifact = outcome.artifact
    profile = artifact.json("profile.json")
    columns = [
        "role",
        "users",
        "items",
        "entities",
        "train",
        "validation",
        "test",
        "users_with_source_history",
    ]
    domains = [(name, *(d[c] for c in columns)) for name, d in profile["domains"].items()]
    names = list(profile["shared_users"])
    overlap = [(a, *(profile["shared_users"][a][b] for b in names)) for a in names]
    users, items = "nodes/users.parquet", "nodes/items.parquet"
    return {
        "dagster/row_count": artifact.manifest.summary["users"],  # of the table whose columns are shown
        "dagster/column_schema": column_schema(artifact.manifest.tables[users]),
        "dagster/column_lineage": column_lineage({"user_id": [(EVENTS_KEY, "user_id")]}),
        "item_columns": dg.MetadataValue.table_schema(column_schema(artifact.manifest.tables[items])),
        "domains": dg.MetadataValue.md(markdown_table(["domain", *columns], domains)),
        "shared_users": dg.MetadataValue.md(markdown_table(["domain", *names], overlap)),
        "profile": dg.MetadataValue.json(profile),
    }
