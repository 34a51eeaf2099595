"""Dagster's entry: everything that the code location offers, for the platform that HIER_DOMAINS names."""

from __future__ import annotations

import dagster as dg

from assets.audit_bundle import audit_bundle
from assets.audit_platform import lineage_report, verification
from assets.audit_sensors import bundle_what_is_live
from assets.erasure_sensor import retrain_after_erasures
from assets.finetune_model import finetune_model
from assets.jobs import audit_platform, bundle_target, publish_target, refresh_domain
from assets.kg_graph import kg_graph
from assets.pretrain_encoder import pretrain_encoder
from assets.publish_embeddings import publish_embeddings
from assets.raw_events import raw_events
from assets.raw_links import raw_links
from assets.schedules import audit_schedules, domain_schedules
from assets.sensors import new_files, publish_after_pretraining
from assets.studies import study_asset
from hier_dag.config import PlatformConfig, load_config
from hier_dag.home import Home, domains_file, home_of
from hier_dag.orchestration.everything import everything
from hier_dag.study.registry import STUDIES
from resources import ArtifactStoreResource, DataEngine, RegistryResource, Trainer


def build_definitions(config: PlatformConfig, at: Home) -> dg.Definitions:
    """The DAG of one platform, with state below one folder.

    Args:
        config: the typed domains.yaml.
        at: where artifacts, registry, aliases and scratch files live.
    """
    domains = dg.StaticPartitionsDefinition(list(config.domains))
    targets = dg.StaticPartitionsDefinition(list(config.target_names))
    return dg.Definitions(
        assets=[
            raw_events(config, domains),
            raw_links(config),
            kg_graph(config),
            pretrain_encoder(config),
            finetune_model(config, targets),
            publish_embeddings(config, targets),
            *(study_asset(study, config) for study in STUDIES.values()),
            verification(config),
            lineage_report,
            audit_bundle(config, targets),
        ],
        jobs=[refresh_domain(), publish_target(), everything, audit_platform(), bundle_target()],
        schedules=[*domain_schedules(config), *audit_schedules(config)],
        sensors=[
            new_files(config),
            publish_after_pretraining(config),
            bundle_what_is_live(config),
            retrain_after_erasures,
        ],
        resources={
            "store": ArtifactStoreResource(root=str(at.store), live=str(at.live), docs=str(at.data_docs)),
            "registry": RegistryResource(url=at.registry_url, platform=config.platform),
            "engine": DataEngine(scratch=str(at.scratch)),
            "trainer": Trainer(checkpoints=str(at.checkpoints), **config.trainer.model_dump()),
        },
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions that `dg dev` and the webserver load."""
    config = load_config(domains_file())
    return build_definitions(config, home_of(config.platform))
