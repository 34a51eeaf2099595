"""Jobs: refresh one domain, publish one target; audit the platform, gather the evidence about one target."""

from typing import Any  # the type of an unresolved asset job is not public

import dagster as dg

from assets.keys import (
    BUNDLE_KEY,
    ENCODER_KEY,
    EVENTS_KEY,
    GRAPH_KEY,
    LINEAGE_REPORT_KEY,
    LINKS_KEY,
    MODEL_KEY,
    PUBLISHED_KEY,
    VERIFICATION_KEY,
)

REFRESH_DOMAIN = "refresh_domain"
PUBLISH_TARGET = "publish_target"
AUDIT_PLATFORM = "audit_platform"
BUNDLE_TARGET = "bundle_target"
EVERYTHING = "everything"
"""Made by hier_dag.orchestration, which is above."""


def refresh_domain() -> Any:
    """Reads a domain's new logs, then rebuilds what all domains share. Targets follow by sensor.

    One Dagster job holds one partitioning, and targets have another than domains.
    """
    return dg.define_asset_job(
        REFRESH_DOMAIN,
        selection=dg.AssetSelection.assets(EVENTS_KEY, LINKS_KEY, GRAPH_KEY, ENCODER_KEY),
        description="Ingest one domain's logs, then rebuild the graph and the encoder. "
        "The sensor `publish_after_pretraining` then refreshes every target.",
        tags={"stage": "refresh"},
    )


def publish_target() -> Any:
    """Transfers the newest encoder to one target and publishes it."""
    return dg.define_asset_job(
        PUBLISH_TARGET,
        selection=dg.AssetSelection.assets(MODEL_KEY, PUBLISHED_KEY),
        description="Transfer the newest encoder to one target, score it and publish its vectors.",
        tags={"stage": "finetune"},
    )


def audit_platform() -> Any:
    """Verifies store and registry and tells what is live by which chain; it only reads."""
    return dg.define_asset_job(
        AUDIT_PLATFORM,
        selection=dg.AssetSelection.assets(VERIFICATION_KEY, LINEAGE_REPORT_KEY),
        description="Verify store, registry and version records, and write the lineage report.",
        tags={"stage": "audit"},
    )


def bundle_target() -> Any:
    """Gathers the evidence about what is live in one target."""
    return dg.define_asset_job(
        BUNDLE_TARGET,
        selection=dg.AssetSelection.assets(BUNDLE_KEY),
        description="Write the bundle of evidence about what is live in one target.",
        tags={"stage": "audit"},
    )
