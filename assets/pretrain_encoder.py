"""pretrain/encoder: HIER pre-trained on all source domains."""

from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.column_lineage import lineage_of
from assets.columns import shown_columns, shown_tables
from assets.commit import Reported, write_audit_publish
from assets.keys import ENCODER_KEY, GRAPH_KEY, OWNERS, check_specs
from assets.metadata import markdown_table, picture
from hier_dag.config import PlatformConfig
from hier_dag.pipeline.stages import CODE_VERSIONS, ENCODER, GRAPH
from hier_dag.pipeline.workshop import Outcome, Workshop
from resources import ArtifactStoreResource, RegistryResource, Trainer

if TYPE_CHECKING:
    from hier_dag.model.crowd_trust import CrowdTrust

_SHOWN_ENTITIES = 4
_SHOWN_EXEMPLARS = 24


def pretrain_encoder(config: PlatformConfig) -> dg.AssetsDefinition:
    """The asset, for one platform."""

    @dg.asset(
        key=ENCODER_KEY,
        deps=[GRAPH_KEY],
        group_name="pretrain",
        kinds={"torch", "dgl"},
        owners=OWNERS,
        code_version=CODE_VERSIONS[ENCODER],
        pool="gpu",
        # A killed worker's successor goes on from the last checkpoint; what a contract refuses is final.
        retry_policy=dg.RetryPolicy(max_retries=2, delay=1),
        check_specs=check_specs(
            ENCODER_KEY,
            ("finite", "Every vector is finite."),
            (
                "beats_untrained_profile",
                "NDCG@10 on source validation is above the untrained entity profile's.",
            ),
            ("collapse", "Decision paths, user vectors and item vectors have not collapsed."),
            ("no_leakage", "Every pair that training used is an edge of a source; no domain holds it out."),
        ),
        description="HIER: knowledge-graph encoder, intents, exemplars and the sparse decision path between "
        "them, pre-trained on the training interactions of all source domains.",
    )
    def encoder(
        context: dg.AssetExecutionContext,
        store: ArtifactStoreResource,
        registry: RegistryResource,
        trainer: Trainer,
    ) -> Reported:
        from hier_dag.builds.encoder import build_encoder
        from hier_dag.pipeline.requests import encoder_request, training_key

        yield from write_audit_publish(
            context,
            store,
            registry,
            lambda workshop: encoder_request(config, workshop.registry),
            lambda workshop, request, staged: build_encoder(
                request,
                staged,
                workshop,
                partial(trainer.pretrain, context),
                trainer.saving(training_key(request)),
            ),
            show=partial(_show, trainer),
        )

    return encoder


def _show(trainer: Trainer, workshop: Workshop, outcome: Outcome) -> dict[str, Any]:
    import pyarrow.parquet as pq

    from hier_dag.evaluate.training_plot import training_png
    from hier_dag.pipeline.requests import training_key
    from hier_dag.train.encoding_files import load_encoding

    artifact = outcome.artifact
    encoding, shown = load_encoding(artifact.path), shown_columns(artifact)
    trainer.forget(training_key(artifact.manifest))
    curve = pq.read_table(artifact.file("curve.parquet"))
    exemplars = pq.read_table(artifact.file("exemplars.parquet")).to_pylist()
    named: dict[int, list[str]] = {}
    for row in exemplars:
        if row["rank"] <= _SHOWN_ENTITIES:
            named.setdefault(row["exemplar"], []).append(row["entity_name"])
    rows = [(number, ", ".join(names)) for number, names in list(named.items())[:_SHOWN_EXEMPLARS]]
    return {
        **_interaction_paths(workshop, outcome),
        **_rehearsal(encoding.trust),
        "curve": picture(training_png(curve), "loss, validation NDCG@10 and collapse monitors"),
        "exemplar_entities": dg.MetadataValue.md(markdown_table(["exemplar", "nearest entities"], rows)),
        "dagster/row_count": len(encoding.users) + len(encoding.items),
        "dagster/column_schema": shown,
        "dagster/column_lineage": lineage_of(ENCODER, shown),
        "tables": shown_tables(artifact),
    }


def _rehearsal(trust: "CrowdTrust | None") -> dict[str, Any]:
    """Picture of what sources found when each played the target; nothing where none did."""
    from hier_dag.evaluate.trust_plot import trust_png

    return {} if trust is None else {"rehearsal": picture(trust_png(trust), "how far to trust the crowd")}


def _interaction_paths(workshop: Workshop, outcome: Outcome) -> dict[str, Any]:
    """Picture and names of the decision paths over interactions; nothing where the encoder has none."""
    from hier_dag.train.interaction_tables import INTENTS

    artifact = outcome.artifact
    if INTENTS not in artifact.manifest.tables:
        return {}
    from hier_dag.evaluate.interpret.flow_picture import flow_png
    from hier_dag.evaluate.interpret.strength_picture import strength_png
    from hier_dag.lineage.carried import paths_of
    from hier_dag.pipeline.recorded import domains_of

    graph = artifact.manifest.parents["graph"]
    sources, targets = domains_of(workshop.open(GRAPH, graph).manifest)
    told = paths_of(workshop.store, artifact.digest, graph, sources, targets)
    families = sorted(told.reading.families, key=lambda family: (-family.strength, family.number))
    rows = [(f.name, len(f.intents), f"{100 * f.strength:.1f} %") for f in families]
    strength = strength_png(told.reading, told.strength, told.domains, told.sources, small=True)
    return {
        "decision_paths": picture(flow_png(told.reading, small=True), "intents → exemplars → entities"),
        "intents_by_domain": picture(strength, "mean strength of intents by domain"),
        "intent_families": dg.MetadataValue.md(markdown_table(["family", "intents", "strength"], rows)),
    }
