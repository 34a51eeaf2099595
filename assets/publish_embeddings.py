"""publish/embeddings: a target's vectors by original id, and the alias that makes them live."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg

from assets.column_lineage import lineage_of
from assets.columns import shown_columns, shown_tables
from assets.commit import Reported, write_audit_publish
from assets.keys import MODEL_KEY, OWNERS, PUBLISHED_KEY, check_specs
from assets.metadata import markdown_table
from hier_dag.config import PlatformConfig
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import CODE_VERSIONS, GRAPH, MODEL, PUBLISHED
from hier_dag.pipeline.workshop import Built, Outcome, Workshop
from hier_dag.progress import Step, tell
from hier_dag.publish.sinks.base import Delivery
from hier_dag.registry import CheckRow
from resources import ArtifactStoreResource, DataEngine, RegistryResource


def publish_embeddings(config: PlatformConfig, targets: dg.StaticPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset, for one platform."""

    @dg.asset(
        key=PUBLISHED_KEY,
        deps=[MODEL_KEY],
        partitions_def=targets,
        group_name="publish",
        kinds={"parquet", "faiss"},
        owners=OWNERS,
        code_version=CODE_VERSIONS[PUBLISHED],
        check_specs=check_specs(
            PUBLISHED_KEY,
            ("row_schema", "Ids are unique, vectors finite and not zero, origins known."),
            ("coverage", "Everybody active has a vector; origins and norms are within the declared bounds."),
            ("index_recall", "The index finds what exact search finds, to the declared floors."),
            ("transfer_gate", "The report card says that transfer does not lose, or a waiver holds."),
            ("space_contract", "Models built on the live vectors go on working, or a change is approved."),
            partitions_def=targets,
        ),
        description="User and item vectors of a target by original id, an index of the items, and what each "
        "user has seen. The alias `live` moves to the new version in one step, once its gates let it.",
    )
    def embeddings(
        context: dg.AssetExecutionContext,
        store: ArtifactStoreResource,
        registry: RegistryResource,
        engine: DataEngine,
    ) -> Reported:
        from hier_dag.pipeline.requests import published_request

        domain = context.partition_key
        yield from write_audit_publish(
            context,
            store,
            registry,
            lambda workshop: published_request(config, workshop.registry, domain),
            lambda workshop, request, staged: _build(config, domain, request, staged, workshop, engine),
            show=lambda workshop, outcome: _go_live(
                config, outcome, workshop, store.live_folder.parent, context.run.run_id
            ),
        )

    return embeddings


def _build(
    config: PlatformConfig,
    domain: str,
    request: Request,
    staged: Path,
    workshop: Workshop,
    engine: DataEngine,
) -> Built:
    from hier_dag.builds.published_set import SetOf, build_set
    from hier_dag.pipeline.published_sets import anchor_set
    from hier_dag.publish.platform import read_platform

    graph = read_platform(workshop.open(GRAPH, request.parents["graph"]).path, domain)
    digest, copies = request.parents.get("anchor"), config.stages.publish.copies
    anchor = None if digest is None else anchor_set(workshop, digest, domain, copies)
    of = SetOf(
        domain=domain,
        graph=graph,
        names=graph.item_names,
        model=workshop.open(MODEL, request.parents["model"]),
        parents=request.parents,
        anchor=None if anchor is None else anchor.artifact,
    )
    with engine.connect() as con:
        built = build_set(of, config.stages.publish, staged, con)
    if anchor is not None and anchor.place is not None:
        built = _told_of_anchor(built, anchor.place)
    facts = built.summary
    tell(Step(f"{PUBLISHED}[{domain}]", f"{facts['users']:,} users, {facts['items']:,} items", 1, 1))
    return built


def _told_of_anchor(built: Built, place: str) -> Built:
    """What the checks say of an anchor that a copy had to give back; the set itself is the same one."""
    first, *others = built.checks
    first = replace(first, facts={**first.facts, "anchor_brought_back_from": place})
    return replace(built, checks=[first, *others])


def _go_live(
    config: PlatformConfig, outcome: Outcome, workshop: Workshop, home: Path, run_id: str
) -> dict[str, Any]:
    """Moves the alias if the gates let it, then shows how the set went live."""
    from hier_dag.pipeline.against_live import compare_with_live
    from hier_dag.pipeline.policy import policy_of
    from hier_dag.pipeline.publication import go_live

    artifact = outcome.artifact
    done = go_live(
        workshop,
        artifact,
        policy_of(config, home),
        compare_with_live(config.stages.publish.space),
        run_id=run_id,
        why="published by the pipeline",
        facts=_measured(outcome.checks),
    )
    outcome.checks.extend(done.checks)
    facts, shown = artifact.manifest.summary, shown_columns(artifact)
    origins = [(who, o, n) for who in ("user", "item") for o, n in facts[f"{who}_origins"].items()]
    held = {} if done.held is None else {"held_back": done.held.words()}
    return {
        "live_version": done.row.version,
        "live_change": done.row.change,
        **held,
        **_delivered(done.deliveries),
        "dagster/partition_row_count": facts["users"] + facts["items"],
        "dagster/table_name": f"embeddings.{artifact.manifest.partition}",
        "dagster/column_schema": shown,
        "dagster/column_lineage": lineage_of(PUBLISHED, shown),
        "tables": shown_tables(artifact),
        "origins": dg.MetadataValue.md(markdown_table(["of", "origin", "rows"], origins)),
    }


def _measured(checks: list[CheckRow]) -> dict[str, Any]:
    """Latencies of the index, which were measured when the set was made."""
    recall = next((c for c in reversed(checks) if c.name == "index_recall"), None)
    return {} if recall is None else {"latency": recall.facts.get("latency", {})}


def _delivered(deliveries: list[Delivery]) -> dict[str, Any]:
    if not deliveries:
        return {}
    head = ["sink", "place", "outcome", "users", "items", "index", "seconds"]
    rows = [
        (d.sink, d.place, d.outcome, d.users, d.items, d.index or d.why_no_index, d.seconds)
        for d in deliveries
    ]
    return {"sinks": dg.MetadataValue.md(markdown_table(head, rows))}
