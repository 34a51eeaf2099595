"""Asset keys, groups and check names, shared by assets, checks, jobs and sensors."""

import dagster as dg

from hier_dag.pipeline.stages import ENCODER, EVENTS, GRAPH, LINKS, MODEL, PUBLISHED


def key(kind: str) -> dg.AssetKey:
    """The asset key of an artifact kind: raw/events → ["raw", "events"]."""
    return dg.AssetKey(kind.split("/"))


EVENTS_KEY, LINKS_KEY, GRAPH_KEY = key(EVENTS), key(LINKS), key(GRAPH)
ENCODER_KEY, MODEL_KEY, PUBLISHED_KEY = key(ENCODER), key(MODEL), key(PUBLISHED)
VERIFICATION_KEY, LINEAGE_REPORT_KEY = key("audit/verification"), key("audit/lineage_report")
BUNDLE_KEY = key("audit/bundle")

OWNERS = ["team:recommender-platform"]


def check_specs(
    asset: dg.AssetKey,
    *names: tuple[str, str],
    partitions_def: dg.PartitionsDefinition[str] | None = None,
) -> list[dg.AssetCheckSpec]:
    """A stage's checks: `contract` (everything below it stops) and the named parts of it.

    Args:
        asset: the asset checked.
        names: (name, what it asserts) of each further check.
        partitions_def: the asset's partitions, so that a result belongs to its domain.
    """
    every = (("contract", "Every part of the stage's contract held; nothing is committed otherwise."), *names)
    return [
        dg.AssetCheckSpec(name, asset=asset, description=text, blocking=True, partitions_def=partitions_def)
        for name, text in every
    ]
