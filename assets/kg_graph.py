"""kg/graph: users, items and entities of all domains, typed edges, splits."""

from typing import Any

import dagster as dg

from assets.column_lineage import lineage_of
from assets.columns import shown_columns, shown_tables
from assets.commit import Reported, write_audit_publish
from assets.keys import EVENTS_KEY, GRAPH_KEY, LINKS_KEY, OWNERS, check_specs
from assets.metadata import markdown_table
from hier_dag.config import PlatformConfig
from hier_dag.pipeline.stages import CODE_VERSIONS, GRAPH
from hier_dag.pipeline.workshop import Outcome, Workshop
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
            (
                "integrity",
                "Node numbers are dense, ids unique, both ends of every edge are nodes of its type, and a "
                "relation has as many edges as the table that it came from.",
            ),
            ("shapes", "Nodes and edges keep every declared shape (shapes.ttl); warnings are listed."),
            ("structure", "Share in the giant component, hubs, ids that look alike or name another type."),
            ("degree_drift", "PSI of log-degrees against the last accepted graph, relation by relation."),
            (
                "no_leakage",
                "No validation or test interaction of any domain is an edge; no edge of a source began at "
                "the global cut or later.",
            ),
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
        from hier_dag.builds.graph import build_graph
        from hier_dag.pipeline.requests import graph_request

        yield from write_audit_publish(
            context,
            store,
            registry,
            lambda workshop: graph_request(config, workshop.registry),
            lambda workshop, request, staged: build_graph(config, request, staged, workshop, engine.connect),
            show=_show,
        )

    return graph


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
    summary, shown = artifact.manifest.summary, shown_columns(artifact)
    return {
        "dagster/row_count": summary["users"] + summary["items"] + summary["entities"],
        "dagster/column_schema": shown,
        "dagster/column_lineage": lineage_of(GRAPH, shown),
        "tables": shown_tables(artifact),
        "domains": dg.MetadataValue.md(markdown_table(["domain", *columns], domains)),
        "shared_users": dg.MetadataValue.md(markdown_table(["domain", *names], overlap)),
        "structure": dg.MetadataValue.md(_structure(profile)),
        "largest_nodes": dg.MetadataValue.md(_largest(profile)),
        **_contract(outcome),
        "profile": dg.MetadataValue.json(profile),
    }


def _structure(profile: dict[str, Any]) -> str:
    components, isolated, bridges = (profile[name] for name in ("components", "isolated", "bridges"))
    rows = [
        ("nodes in the giant component", f"{components['giant_nodes']} ({components['giant_share']:.2%})"),
        ("components", components["count"]),
        ("components of several nodes", components["of_several_nodes"]),
        *((f"{kind} without an edge", isolated[kind]) for kind in ("users", "items", "entities")),
        ("items without an entity", isolated["items_without_entity"]),
        *((f"{kind} in two or more domains", bridges[kind]) for kind in ("users", "items", "entities")),
    ]
    return markdown_table(["", "count"], rows)


def _largest(profile: dict[str, Any]) -> str:
    rows = [
        (relation, side, top["type"], top["id"], top["degree"], f"{top['share']:.2%}")
        for relation, sides in profile["largest"].items()
        for side, top in sides.items()
    ]
    return markdown_table(["relation", "side", "type", "id", "edges", "of all"], rows)


def _contract(outcome: Outcome) -> dict[str, Any]:
    """What shapes and structure warn of, and the drift of degrees, where the checks are recorded."""
    facts = {check.name: check.facts for check in outcome.checks}
    warned = [f for name in ("shapes", "structure") for f in facts.get(name, {}).get("failures", [])]
    rows = [(f["table"], f["column"] or "", f["rule"], f["count"], ", ".join(f["sample"])) for f in warned]
    compared = facts.get("degree_drift", {}).get("compared", {})
    drift = [(name, d["psi"], d["ks"], d["by_chance"]) for name, d in compared.items()]
    return {
        "warnings": dg.MetadataValue.md(markdown_table(["where", "what", "rule", "count", "such as"], rows)),
        "degree_drift": dg.MetadataValue.md(
            markdown_table(["relation.side", "PSI", "KS", "PSI by chance"], drift)
        ),
    }
