"""Jobs: refresh one domain, and publish one target."""

from typing import Any  # the type of an unresolved asset job is not public

import dagster as dg

from assets.keys import ENCODER_KEY, EVENTS_KEY, GRAPH_KEY, LINKS_KEY, MODEL_KEY, PUBLISHED_KEY

REFRESH_DOMAIN = "refresh_domain"
PUBLISH_TARGET = "publish_target"


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
