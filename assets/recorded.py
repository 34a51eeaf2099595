"""What the registry says of an artifact, for its asset's page: its event, its parents, how to trace it."""

from typing import Any

import dagster as dg

from assets.metadata import markdown_table
from hier_dag.pipeline.workshop import Outcome
from hier_dag.registry import Registry
from resources.lineage_names import INPUTS, PARENTS

_SHORT = 12


def recorded(registry: Registry, outcome: Outcome) -> dict[str, Any]:
    """What the registry says of an artifact that is on record.

    Args:
        registry: where it is recorded.
        outcome: what a stage ended with.

    Returns:
        event (number in the registry's log), made (by whom, when, by which commit), trace (the command that
        walks it back), parents (with links to their pages) and the same as JSON for programs.
    """
    digest, manifest = outcome.artifact.digest, outcome.artifact.manifest
    own = registry.artifact(digest)
    parents = []
    for role, parent in manifest.parents.items():
        row = registry.artifact(parent)
        if row is not None:
            about = {"kind": row.kind, "partition": row.partition, "event": row.event}
            parents.append({"role": role, "digest": parent, **about})
    told: dict[str, Any] = {"trace": f"hier audit trace {digest[:_SHORT]}"}
    if own is not None:
        told["event"] = own.event
        told["made"] = f"{own.created_at:%Y-%m-%d %H:%M:%S} UTC by {own.who}, code {own.code_commit}"
    told["parents"] = dg.MetadataValue.md(_table(parents)) if parents else "none"
    told[PARENTS] = dg.MetadataValue.json(parents)
    if manifest.inputs:
        keys = ("location", "sha256", "bytes")
        told[INPUTS] = dg.MetadataValue.json([{k: i[k] for k in keys} for i in manifest.inputs])
    return told


def _table(parents: list[dict[str, Any]]) -> str:
    rows = [(p["role"], _page(p), f"`{p['digest'][:_SHORT]}`", str(p["event"])) for p in parents]
    return markdown_table(["role", "artifact", "digest", "event"], rows)


def _page(parent: dict[str, Any]) -> str:
    """A link to the page of the asset, and partition, that a parent is of."""
    kind, partition = parent["kind"], parent["partition"]
    if partition is None:
        return f"[{kind}](/assets/{kind})"
    return f"[{kind}\\[{partition}\\]](/assets/{kind}?view=partitions&partition={partition})"
