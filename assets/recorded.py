"""What the registry says of an artifact, for its asset's page: its event, its parents, how to trace it."""

from typing import Any

import dagster as dg

from assets.metadata import markdown_table
from hier_dag.pipeline.workshop import Outcome
from hier_dag.registry import ArtifactRow, Registry
from resources.lineage_names import INPUTS, PARENTS, parent_name

_SHORT = 12


def recorded(registry: Registry, outcome: Outcome) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the registry says of an artifact that is on record.

    Args:
        registry: where it is recorded.
        outcome: what a stage ended with.

    Returns:
        For people: event (number in the registry's log), made (when, by whom, by which commit), trace (the
        command that walks it back), parents (with links to their pages). For programs: parents by role with
        whole digests, raw files by location with their digests.
    """
    digest, manifest = outcome.artifact.digest, outcome.artifact.manifest
    found = {role: registry.artifact(parent) for role, parent in manifest.parents.items()}
    parents = {role: row for role, row in found.items() if row is not None}
    told: dict[str, Any] = {}
    own = registry.artifact(digest)
    if own is not None:
        told["event"] = own.event
        told["made"] = f"{own.created_at:%Y-%m-%d %H:%M:%S} UTC by {own.who}, code {own.code_commit}"
    told["trace"] = f"hier audit trace {digest[:_SHORT]}"
    told["parents"] = dg.MetadataValue.md(_table(parents)) if parents else "raw files"
    by_role = {role: parent_name(row.kind, row.partition, row.digest) for role, row in parents.items()}
    files = {file["location"]: file["sha256"] for file in manifest.inputs}
    named = {PARENTS: by_role, INPUTS: files}
    return told, {name: dg.MetadataValue.json(value) for name, value in named.items() if value}


def _table(parents: dict[str, ArtifactRow]) -> str:
    rows = [(role, _page(row), f"`{row.digest[:_SHORT]}`", str(row.event)) for role, row in parents.items()]
    return markdown_table(["role", "artifact", "digest", "event"], rows)


def _page(parent: ArtifactRow) -> str:
    """A link to the page of the asset, and partition, that a parent is of."""
    kind, partition = parent.kind, parent.partition
    if partition is None:
        return f"[{kind}](/assets/{kind})"
    return f"[{kind}\\[{partition}\\]](/assets/{kind}?view=partitions&partition={partition})"
