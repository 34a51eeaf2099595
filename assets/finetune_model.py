"""finetune/model: transfer of the encoder to each target, with its report card."""

from functools import partial
from typing import Any

import dagster as dg

from assets.column_lineage import lineage_of
from assets.columns import shown_columns, shown_tables
from assets.commit import Reported, write_audit_publish
from assets.keys import ENCODER_KEY, GRAPH_KEY, MODEL_KEY, OWNERS, check_specs
from assets.metadata import picture
from hier_dag.config import PlatformConfig
from hier_dag.pipeline.stages import CODE_VERSIONS, MODEL
from hier_dag.pipeline.workshop import Outcome, Workshop
from resources import ArtifactStoreResource, RegistryResource, Trainer


def finetune_model(config: PlatformConfig, targets: dg.StaticPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset, for one platform."""

    @dg.asset(
        key=MODEL_KEY,
        deps=[GRAPH_KEY, ENCODER_KEY],
        partitions_def=targets,
        group_name="finetune",
        kinds={"torch", "parquet"},
        owners=OWNERS,
        code_version=CODE_VERSIONS[MODEL],
        check_specs=check_specs(
            MODEL_KEY,
            ("finite", "Every vector is finite and none is all zero."),
            ("complete", "Every user of the audience and every item of the catalogue has a vector."),
            (
                "no_negative_transfer",
                "In the published setting HIER is not clearly below the best of the declared baselines.",
            ),
            ("no_leakage", "Every few-shot pair is an edge of the target; no domain holds it out."),
            partitions_def=targets,
        ),
        description="Zero-shot and few-shot transfer to a target domain, scored by full ranking next to the "
        "baselines, with intervals.",
    )
    def model(
        context: dg.AssetExecutionContext,
        store: ArtifactStoreResource,
        registry: RegistryResource,
        trainer: Trainer,
    ) -> Reported:
        from hier_dag.builds.model import build_model
        from hier_dag.pipeline.requests import model_request

        domain = context.partition_key
        yield from write_audit_publish(
            context,
            store,
            registry,
            lambda workshop: model_request(config, workshop.registry, domain),
            lambda workshop, request, staged: build_model(
                request, staged, workshop, partial(trainer.finetune, context)
            ),
            show=_show,
        )

    return model


def _show(_: Workshop, outcome: Outcome) -> dict[str, Any]:
    import pyarrow.parquet as pq

    from hier_dag.builds.model import CARD
    from hier_dag.evaluate.card import card_markdown
    from hier_dag.evaluate.plots import curve_png

    manifest = outcome.artifact.manifest
    domain = str(manifest.partition)
    records = pq.read_table(outcome.artifact.file("report.parquet"))
    shown = shown_columns(outcome.artifact)
    columns = {
        "dagster/partition_row_count": manifest.summary["users"] + manifest.summary["items"],
        "dagster/column_schema": shown,
        "dagster/column_lineage": lineage_of(MODEL, shown),
        "tables": shown_tables(outcome.artifact),
    }
    if records.num_rows == 0:
        return {"report_card": "no test interaction in this domain: nothing to score", **columns}
    return {
        "report_card": dg.MetadataValue.md(card_markdown(records, domain)),
        "report_card_file": dg.MetadataValue.path(str(outcome.artifact.file(CARD))),
        "curve": picture(curve_png(records, domain), "NDCG@10 against shots"),
        **columns,
    }
