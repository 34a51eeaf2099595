"""Metadata that tells programs what a materialisation was made from: names, and how a parent is written."""

PARENTS = "parent_artifacts"
"""Each parent by role, as `parent_name` writes it; JSON."""
INPUTS = "raw_inputs"
"""SHA-256 of each raw file that was read, by location; JSON."""


def parent_name(kind: str, partition: str | None, digest: str) -> str:
    """A parent in one line, such as `kg/graph@3fbf…` or `finetune/model[grocery]@3fbf…`."""
    return f"{kind}[{partition}]@{digest}" if partition else f"{kind}@{digest}"


def parent_of(name: str) -> tuple[str, str]:
    """Kind and digest of a parent that `parent_name` wrote."""
    title, _, digest = name.rpartition("@")
    return title.partition("[")[0], digest
