"""study/<name>: one asset a study, one partition a cell, so that a backfill runs or resumes the cells."""

from pathlib import Path
from typing import Any

import dagster as dg

from assets.commit import Reported, write_audit_publish
from assets.keys import OWNERS, check_specs, key
from assets.metadata import column_schema, markdown_table, picture
from hier_dag.config import PlatformConfig
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import CODE_VERSIONS, STUDY
from hier_dag.pipeline.workshop import Built, Outcome, Workshop
from hier_dag.study.study import Study
from resources import ArtifactStoreResource, RegistryResource


def study_asset(study: Study, config: PlatformConfig) -> dg.AssetsDefinition:
    """A study's asset, for one platform."""
    cells = {cell.key: cell for cell in study.cells(config)}
    partitions = dg.StaticPartitionsDefinition(list(cells))
    asset = key(study.kind)

    @dg.asset(
        key=asset,
        # A cell reads whole graphs or reports, whatever these are partitioned by.
        deps=[dg.AssetDep(key(study.above), partition_mapping=dg.AllPartitionMapping())],
        partitions_def=partitions,
        group_name=STUDY,
        kinds={"torch"} if study.pool else {"parquet"},
        owners=OWNERS,
        code_version=CODE_VERSIONS[STUDY],
        pool=study.pool,
        check_specs=check_specs(
            asset,
            ("measured", "Every target with test interactions has figures."),
            partitions_def=partitions,
        ),
        description=study.what,
    )
    def cell_of_study(
        context: dg.AssetExecutionContext, store: ArtifactStoreResource, registry: RegistryResource
    ) -> Reported:
        cell = cells[context.partition_key]

        def build(workshop: Workshop, request: Request, staged: Path) -> Built:
            return study.build(config, workshop, cell, request, staged, context.run.run_id)

        yield from write_audit_publish(
            context,
            store,
            registry,
            lambda workshop: study.request(config, workshop.registry, cell),
            build,
            show=lambda workshop, outcome: _show(study, config, workshop, outcome),
        )

    return cell_of_study


def _show(study: Study, config: PlatformConfig, workshop: Workshop, outcome: Outcome) -> dict[str, Any]:
    """The study as far as it has come: the newest materialisation shows all of its cells."""
    from hier_dag.study.collect import finished_cells, summary_of

    finished = finished_cells(study, config, workshop)
    shown: dict[str, Any] = {
        "cells_done": f"{len(finished)} of {len(study.cells(config))}",
        "dagster/column_schema": column_schema(outcome.artifact.manifest.tables["records.parquet"]),
    }
    summary = summary_of(study, config, finished)
    if summary is not None:
        shown["figures"] = dg.MetadataValue.md(markdown_table(summary.head, summary.rows))
        shown["note"] = summary.note
        shown["picture"] = picture(summary.png, study.name)
        shown |= {name: picture(more, name) for name, more in summary.more.items()}
    return shown
