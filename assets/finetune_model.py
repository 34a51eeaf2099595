"""finetune/model: transfer of the encoder to each target, with its report card."""

from pathlib import Path
from typing import Any

import dagster as dg

from assets.column_lineage import lineage_of
from assets.columns import shown_columns, shown_tables
from assets.commit import Reported, write_audit_publish
from assets.keys import ENCODER_KEY, GRAPH_KEY, MODEL_KEY, OWNERS, check_specs
from assets.metadata import picture
from hier_dag.config import PlatformConfig
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import CODE_VERSIONS, ENCODER, GRAPH, MODEL
from hier_dag.pipeline.workshop import Built, Outcome, Workshop
from hier_dag.registry import CheckRow
from resources import ArtifactStoreResource, RegistryResource, Trainer

CARD = "card.html"


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
        from hier_dag.pipeline.requests import model_request

        domain = context.partition_key
        yield from write_audit_publish(
            context,
            store,
            registry,
            lambda workshop: model_request(config, workshop.registry, domain),
            lambda workshop, request, staged: _build(context, config, request, staged, workshop, trainer),
            show=_show,
        )

    return model


def _build(
    context: dg.AssetExecutionContext,
    config: PlatformConfig,
    request: Request,
    staged: Path,
    workshop: Workshop,
    trainer: Trainer,
) -> Built:
    import pyarrow.parquet as pq

    from hier_dag.builds.vector_flows import check_transferred
    from hier_dag.conservation import read_flows
    from hier_dag.evaluate.gate import negative_transfer
    from hier_dag.evaluate.page import card_html
    from hier_dag.graph import training_pairs
    from hier_dag.transfer.job import TransferJob
    from hier_dag.transfer.save import REPORT
    from schemas.columns import columns_of

    domain = str(request.partition)
    graph = workshop.open(GRAPH, request.parents["graph"])
    job = TransferJob(
        graph=graph.path,
        encoder=workshop.open(ENCODER, request.parents["encoder"]).path,
        sources=config.source_names,
        targets=config.target_names,
        domain=domain,
        params=config.stages.transfer,
        out=staged,
    )
    facts = trainer.finetune(context, job)
    check_transferred(read_flows(staged), graph, domain)
    records = pq.read_table(staged / REPORT)
    baselines = config.stages.gates.transfer_baselines
    gate = negative_transfer(records, domain, baselines, facts["shots"])
    if records.num_rows:
        (staged / CARD).write_text(card_html(records, domain), encoding="utf-8")
    zero, missing = facts["zero_vectors"], facts["missing"]
    return Built(
        tables={REPORT: columns_of(MODEL, staged / REPORT)},
        summary={
            **{name: facts[name] for name in ("method", "shots", "users", "items")},
            **_headline(records),
        },
        checks=[
            CheckRow(
                "finite",
                facts["finite"] and zero == 0,
                {"finite": facts["finite"], "zero_vectors": zero},
            ),
            CheckRow("complete", missing == 0, {"missing": missing}),
            CheckRow("no_negative_transfer", bool(gate["passed"]), dict(gate)),
            CheckRow("no_leakage", training_pairs.holds(facts["certificate"]), facts["certificate"]),
        ],
        advisory=frozenset({"no_negative_transfer"}),  # publication asks for a waiver
        remedies={"no_leakage": training_pairs.REMEDY},
    )


def _headline(records: Any) -> dict[str, float]:
    """HIER's NDCG@10 over all users, zero-shot and in every few-shot setting."""
    return {
        f"ndcg10_shots_{r['shots'].replace('%', 'pct')}": round(r["value"], 6)
        for r in records.to_pylist()
        if (r["model"], r["slice"], r["metric"], r["k"]) == ("hier", "all", "ndcg", 10)
    }


def _show(_: Workshop, outcome: Outcome) -> dict[str, Any]:
    import pyarrow.parquet as pq

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
