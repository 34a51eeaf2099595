"""publish/embeddings: a target's vectors by original id, and the alias that makes them live."""

from pathlib import Path
from typing import Any

import dagster as dg

from assets.commit import Reported, write_audit_publish
from assets.keys import EVENTS_KEY, GRAPH_KEY, MODEL_KEY, OWNERS, PUBLISHED_KEY, check_specs
from assets.metadata import column_lineage, column_schema, markdown_table
from hier_dag.config import PlatformConfig
from hier_dag.errors import ContractError
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import CODE_VERSIONS, GRAPH, MODEL, PUBLISHED
from hier_dag.pipeline.workshop import Built, Outcome, Workshop
from hier_dag.progress import Step, tell
from hier_dag.registry import CheckRow, Move
from resources import ArtifactStoreResource, DataEngine, RegistryResource

_ALIAS = "live"


def publish_embeddings(config: PlatformConfig, targets: dg.StaticPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset, for one platform."""

    @dg.asset(
        key=PUBLISHED_KEY,
        deps=[MODEL_KEY],
        partitions_def=targets,
        group_name="publish",
        kinds={"parquet"},
        owners=OWNERS,
        code_version=CODE_VERSIONS[PUBLISHED],
        check_specs=check_specs(
            PUBLISHED_KEY,
            ("row_schema", "Ids are unique, vectors finite and not zero, origins known."),
            ("coverage", "Fallback vectors stay within the declared share of users."),
            partitions_def=targets,
        ),
        description="User and item vectors of a target by original id, and what each user has seen. The "
        "alias `live` moves to the new version atomically once it is committed.",
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
            show=lambda workshop, outcome: _go_live(outcome, workshop, store.live_folder, context.run.run_id),
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
    import pyarrow.parquet as pq

    from hier_dag.builds.vector_flows import check_published
    from hier_dag.conservation import write_flows
    from hier_dag.graph.files import ITEMS, load_graph
    from hier_dag.publish.files import write_set
    from hier_dag.publish.flows import publish_flows
    from hier_dag.transfer.save import load_vectors
    from schemas.audits import audit_embeddings
    from schemas.columns import columns_of

    folder = workshop.open(GRAPH, request.parents["graph"]).path
    graph = load_graph(folder, config.source_names, config.target_names)
    model = workshop.open(MODEL, request.parents["model"])
    vectors = load_vectors(model.path)
    if len(vectors.users) == 0 or len(vectors.items) == 0:
        # A live set must not give way to one that answers nobody.
        raise ContractError(
            f"nothing to publish: {len(vectors.users):,} users and {len(vectors.items):,} items.",
            domain=domain,
            fix="deliver its first events; or declare a `catalogue` and `audience: platform`, so that the "
            "platform's users get vectors without any",
        )
    names = pq.read_table(folder / ITEMS, columns=["name"])["name"].to_numpy(zero_copy_only=False)
    about = {"domain": domain, "model": request.parents["model"], "encoder": request.parents["encoder"]}
    facts = write_set(
        staged, vectors, graph.user_ids, graph.item_ids, names, graph.interactions[domain], about
    )
    flows = publish_flows(staged, domain, vectors, graph.interactions[domain])
    check_published(flows, model, domain)
    write_flows(flows, staged)
    with engine.connect() as con:
        failures = audit_embeddings(con, staged)
    fallback = facts["user_origins"]["fallback"] / max(1, facts["users"])
    limit = config.stages.publish.max_fallback
    tell(Step(f"{PUBLISHED}[{domain}]", f"{facts['users']:,} users, {facts['items']:,} items", 1, 1))
    return Built(
        tables={p.name: columns_of(PUBLISHED, p) for p in sorted(staged.glob("*.parquet"))},
        summary=facts,
        checks=[
            CheckRow("row_schema", not failures, {"failures": [f.as_dict() for f in failures]}),
            CheckRow("coverage", fallback <= limit, {"fallback_share": round(fallback, 6), "limit": limit}),
        ],
    )


def _go_live(outcome: Outcome, workshop: Workshop, folder: Path, run_id: str) -> dict[str, Any]:
    """Moves the alias, then shows it. The registry numbers the version; replacing the file publishes it."""
    from hier_dag.publish.live import Live, move_live

    domain = str(outcome.artifact.manifest.partition)
    row = workshop.registry.move_alias(
        Move(domain, _ALIAS, outcome.artifact.digest, run_id, "published by the pipeline")
    )
    move_live(folder, Live(domain=domain, version=row.version, digest=row.digest))
    facts, tables = outcome.artifact.manifest.summary, outcome.artifact.manifest.tables
    origins = [(who, o, n) for who in ("user", "item") for o, n in facts[f"{who}_origins"].items()]
    return {
        "live_version": row.version,
        "dagster/partition_row_count": facts["users"] + facts["items"],
        "dagster/table_name": f"embeddings.{domain}.users",
        "dagster/column_schema": column_schema(tables["users.parquet"]),
        "item_columns": dg.MetadataValue.table_schema(column_schema(tables["items.parquet"])),
        "dagster/column_lineage": column_lineage(
            {
                "user_id": [(EVENTS_KEY, "user_id"), (GRAPH_KEY, "user_id")],
                "vector": [(MODEL_KEY, "user_vectors")],
                "origin": [(MODEL_KEY, "user_origin")],
            }
        ),
        "origins": dg.MetadataValue.md(markdown_table(["of", "origin", "rows"], origins)),
    }
