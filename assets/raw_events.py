"""raw/events: canonical events of each domain, one partition a domain."""

from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from assets.columns import shown_columns, shown_tables
from assets.commit import Reported, write_audit_publish
from assets.keys import EVENTS_KEY, OWNERS, check_specs
from assets.metadata import markdown_table
from hier_dag.config import PlatformConfig
from hier_dag.pipeline.stages import CODE_VERSIONS, CORRECTIONS, EVENTS
from hier_dag.pipeline.workshop import Outcome, Workshop
from resources import ArtifactStoreResource, DataEngine, RegistryResource

_SAMPLE_ROWS = 5


def raw_events(config: PlatformConfig, domains: dg.StaticPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset, for one platform."""

    @dg.asset(
        key=EVENTS_KEY,
        partitions_def=domains,
        group_name="raw",
        kinds={"duckdb", "parquet"},
        owners=OWNERS,
        code_version=CODE_VERSIONS[EVENTS],
        check_specs=check_specs(
            EVENTS_KEY,
            ("row_schema", "Every canonical row has the declared types, keys and value ranges."),
            ("conservation", "Rows in = rows out + quarantined + deduplicated + erased, exactly, per file."),
            ("input_schema", "The raw files have the columns and types of the last accepted version."),
            ("corrections", "Every recorded correction still has the row that it was given for."),
            ("expectations", "What is declared to block: volume, ids, mixes and drift are as expected."),
            ("expectations_warned", "The same, of what is declared to warn."),
            partitions_def=domains,
        ),
        description="Canonical events of a domain: who acted on what, how and when. Invalid rows are "
        "quarantined with a reason; unchanged raw files are not read again.",
    )
    def events(
        context: dg.AssetExecutionContext,
        store: ArtifactStoreResource,
        registry: RegistryResource,
        engine: DataEngine,
    ) -> Reported:
        from hier_dag.builds.events import build_events
        from hier_dag.pipeline.requests import events_request

        domain = context.partition_key
        yield from write_audit_publish(
            context,
            store,
            registry,
            lambda workshop: events_request(config, domain, workshop.registry.latest(CORRECTIONS, domain)),
            lambda workshop, request, staged: build_events(
                config, domain, request, staged, workshop, engine.connect, store.docs_folder
            ),
            show=partial(_show, store.docs_folder),
        )

    return events


def _show(docs: Path, _: Workshop, outcome: Outcome) -> dict[str, Any]:
    import pyarrow.parquet as pq

    summary = outcome.artifact.manifest.summary
    shown: dict[str, Any] = {"dagster/partition_row_count": summary["rows_out"]}
    if outcome.artifact.manifest.tables:
        shown["dagster/column_schema"] = shown_columns(outcome.artifact)
        shown["tables"] = shown_tables(outcome.artifact)
        shown["dagster/table_name"] = f"events.{outcome.artifact.manifest.partition}"
    page = docs / f"{outcome.artifact.manifest.partition}.html"
    if page.is_file():
        shown["data_docs"] = dg.MetadataValue.path(str(page))
    ledger = outcome.artifact.json("ledger.json")
    shown["raw_files"] = dg.MetadataValue.md(
        markdown_table(
            ["file", "rows in", "rows out", "quarantined", "deduplicated", "erased", "sha256"],
            [
                (f["location"], f["rows_in"], f["rows_out"], sum(f["quarantined"].values()),
                 f["deduplicated"], f.get("erased", 0), f["sha256"][:12])
                for f in ledger["files"]
            ],
        )
    )  # fmt: skip
    for title, folder in (("sample", "events/"), ("quarantine_sample", "quarantine/")):
        files = outcome.artifact.files(folder)
        if files:
            head = next(pq.ParquetFile(files[0]).iter_batches(_SAMPLE_ROWS), None)
            if head is not None:
                rows = [tuple(r.values()) for r in head.to_pylist()]
                shown[title] = dg.MetadataValue.md(markdown_table(head.schema.names, rows))
    return shown
