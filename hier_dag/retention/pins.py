"""Pins: a version's set stays in the store until the pin is taken back or ends."""

from __future__ import annotations

from datetime import datetime

from hier_dag.errors import StoreError, UsageError
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.registry import AliasRow, Decision, Registry
from hier_dag.registry.aliases import LIVE
from hier_dag.registry.decisions import PIN, UNPIN
from hier_dag.retention.collected import collected
from hier_dag.retention.history import history_of, shown
from hier_dag.store import ArtifactStore


def version_of(registry: Registry, domain: str, version: int | None, declared: tuple[str, ...]) -> AliasRow:
    """A version of a domain's `live`; None means the one in force.

    Raises:
        UsageError: when there is none, naming those that there are.
    """
    history = history_of(registry, domain, LIVE, declared)
    if version is None:
        return history[0]
    found = next((row for row in history if row.version == version), None)
    if found is None:
        raise UsageError(
            f"live has no version {version}; versions: 1 to {history[0].version}.",
            domain=domain,
            fix=f"choose one of them; hier audit live {domain} --history shows each",
        )
    return found


def pin(
    store: ArtifactStore, registry: Registry, row: AliasRow, *, why: str, until: datetime | None
) -> Decision:
    """Keeps the set of a version, with everything it was made from.

    Args:
        store: of the platform.
        registry: of the platform.
        row: the version.
        why: in words; recorded.
        until: when the pin ends, UTC; None for as long as nobody takes it back.

    Raises:
        UsageError: when the set is not in the store any more, or `why` says nothing.
    """
    _said(why)
    try:
        store.open(PUBLISHED, row.digest, verify=False)
    except StoreError as error:
        removed = collected(registry, row.digest)
        if removed is None:
            raise
        raise UsageError(
            f"the set of version {row.version} was removed from the store on {shown(removed.created_at)} by "
            f"{removed.who}: {removed.why}.",
            domain=row.domain,
            fix="pin a version whose set is still there",
        ) from error
    return registry.decide(row.domain, PIN, row.digest, why=why, until=until)


def unpin(registry: Registry, row: AliasRow, *, why: str) -> Decision:
    """Takes the pin of a version's set back.

    Raises:
        UsageError: when it is not pinned, or `why` says nothing.
    """
    _said(why)
    if pin_of(registry, row) is None:
        raise UsageError(
            f"the set of version {row.version} is not pinned.",
            domain=row.domain,
            fix="name another version with --version",
        )
    return registry.decide(row.domain, UNPIN, row.digest, why=why)


def pin_of(registry: Registry, row: AliasRow) -> Decision | None:
    """The pin that keeps a version's set now."""
    decisions = registry.decisions(domain=row.domain, kinds=(PIN, UNPIN))
    newest = next((d for d in decisions if d.subject == row.digest), None)
    return newest if newest is not None and newest.kind == PIN and newest.holds() else None


def _said(why: str) -> None:
    if not why.strip():
        raise UsageError("--why says nothing.", fix="say why, in words: it is recorded")
