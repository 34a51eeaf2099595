"""What was removed from a store stays on record: when, by whom and why."""

from __future__ import annotations

from hier_dag.registry import Decision, Registry
from hier_dag.registry.decisions import COLLECTED


def collected(registry: Registry, digest: str) -> Decision | None:
    """The newest record that an artifact was removed; it may have been made again since."""
    return next((d for d in registry.decisions(kinds=(COLLECTED,)) if d.subject == digest), None)
