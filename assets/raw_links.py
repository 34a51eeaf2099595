"""raw/links: what the domains share: item-entity links, triples, social edges, names, catalogues."""

from typing import Any

import dagster as dg

from assets.columns import shown_columns, shown_tables
from assets.commit import Reported, write_audit_publish
from assets.keys import LINKS_KEY, OWNERS, check_specs
from assets.metadata import markdown_table
from hier_dag.config import PlatformConfig
from hier_dag.pipeline.stages import CODE_VERSIONS, LINKS
from hier_dag.pipeline.workshop import Outcome, Workshop
from resources import ArtifactStoreResource, DataEngine, RegistryResource


def raw_links(config: PlatformConfig) -> dg.AssetsDefinition:
    """The asset, for one platform."""

    @dg.asset(
        key=LINKS_KEY,
        group_name="raw",
        kinds={"duckdb", "parquet"},
        owners=OWNERS,
        code_version=CODE_VERSIONS[LINKS],
        check_specs=check_specs(
            LINKS_KEY,
            ("row_schema", "Both ends of every link are there, typed and within limits; no link twice."),
            ("conservation", "Rows in = rows out + quarantined + deduplicated + erased, exactly, per file."),
        ),
        description="Item-entity links, entity-entity triples, user-user edges, display names and declared "
        "catalogues, shared by all domains.",
    )
    def links(
        context: dg.AssetExecutionContext,
        store: ArtifactStoreResource,
        registry: RegistryResource,
        engine: DataEngine,
    ) -> Reported:
        from hier_dag.builds.links import build_links
        from hier_dag.pipeline.requests import links_request

        yield from write_audit_publish(
            context,
            store,
            registry,
            lambda _: links_request(config),
            lambda workshop, request, staged: build_links(
                config, request, staged, engine.connect, workshop.erasures.erased()
            ),
            show=_show,
        )

    return links


def _show(_: Workshop, outcome: Outcome) -> dict[str, Any]:
    manifest = outcome.artifact.manifest
    ledger = outcome.artifact.json("ledger.json")
    rows = [
        (f["feeds"], f["location"], f["rows_in"], f["rows_out"], sum(f["quarantined"].values()),
         f["deduplicated"], f.get("erased", 0))
        for f in ledger["files"]
    ]  # fmt: skip
    head = ["feeds", "file", "rows in", "rows out", "quarantined", "deduplicated", "erased"]
    return {
        "dagster/row_count": manifest.summary["rows_out"],
        "dagster/column_schema": shown_columns(outcome.artifact),
        "tables": shown_tables(outcome.artifact),
        "raw_files": dg.MetadataValue.md(markdown_table(head, rows)),
    }
