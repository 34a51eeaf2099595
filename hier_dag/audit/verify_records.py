"""The registry: its log, and how store and version records at all places fit to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from hier_dag.audit.verify_verdict import (
    CHAIN,
    LOST,
    ORPHAN,
    PARENT,
    RECORD,
    REGISTRY,
    Problem,
    Verdict,
    unread,
)
from hier_dag.digest import digest_of
from hier_dag.errors import HierError
from hier_dag.reconcile import presence, versions
from hier_dag.registry import Registry
from hier_dag.registry.anchors import Anchor
from hier_dag.registry.chain import event_of
from hier_dag.registry.projections import ARTIFACT
from hier_dag.registry.tables import EventRecord
from hier_dag.registry.verify import verify_log

_STRETCH = 1_000
_BACKUP = "restore the registry from a backup that an anchor vouches for (hier audit anchor)"
_ADOPT = "run: hier audit reconcile"
_REMOVE = "hier gc shows it as on no record, and removes it with --delete"
_LOST = (
    "run again what needs it (it is made again under the same digest) or restore a backup; where nothing "
    "does: hier audit reconcile --lost --why …"
)


def check_log(
    registry: Registry, anchors: Sequence[Anchor], keys: Mapping[str, Any] | None, found: Verdict
) -> None:
    """Every event, every row that follows from it, every manifest on record; what is wrong is noted.

    Args:
        registry: any platform's.
        anchors: events that must be on the chain.
        keys: public keys by id, of which each event must be signed by one; None looks at no signature.
        found: where problems and figures are noted.

    Raises:
        RegistryError: the registry cannot be read.
    """
    where = _shown(registry)
    log = verify_log(registry, anchors=anchors, keys=keys)
    found.events, found.head, found.signed_up_to = log.events, log.head.hash, log.signed_up_to
    found.anchors, found.remarks = len(anchors), log.remarks
    for p in log.problems:
        at = f"event {p.seq:,}" if p.seq else f"table {p.table}"
        expected = "what the log says" if p.table != "events" else "an unbroken chain of events"
        found.problems.append(
            Problem(CHAIN, f"{p.what}, {at}", f"{where}, {p.table}", expected, p.told, _BACKUP)
        )


def check_manifests(registry: Registry, found: Verdict) -> None:
    """The manifest of every artifact's event against its digest.

    Raises:
        RegistryError: the registry cannot be read.
    """
    where, entries = _shown(registry), registry.read(lambda s: _artifacts(s, 0))
    while entries:
        for seq, entry in entries:
            digest, told = _digests(entry)
            if digest != told:
                about = f"artifact {digest[:12]}, event {seq:,}"
                expected = f"a manifest of SHA-256 {digest}"
                found.problems.append(Problem(CHAIN, about, where, expected, f"one of {told}", _BACKUP))
        last = entries[-1][0]
        entries = registry.read(lambda s, after=last: _artifacts(s, after))  # type: ignore[misc]


def _artifacts(s: Session, after: int) -> list[tuple[int, str]]:
    """Number and entry of the next events that put an artifact on record."""
    query = select(EventRecord.seq, EventRecord.entry).where(EventRecord.kind == ARTIFACT)
    query = query.where(EventRecord.seq > after).order_by(EventRecord.seq).limit(_STRETCH)
    return list(s.execute(query).tuples())


def _digests(entry: str) -> tuple[str, str]:
    """The digest that an event tells and that of its manifest; equal where `check_log` tells of it."""
    try:
        body = event_of(entry).body
        return str(body["digest"]), digest_of(body["manifest"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return "", ""


def check_presence(root: Path, registry: Registry, copies: Sequence[str], found: Verdict) -> None:
    """Artifacts without rows, rows without artifacts, parents without rows; what is wrong is noted.

    Raises:
        RegistryError: the registry cannot be read.
    """
    there, where = presence.compare(root, registry, copies), _shown(registry)
    found.rows = there.rows
    for error in there.unread:
        found.add(unread(error))
    for path in there.unrecorded:
        found.problems.append(_unrecorded(path, "a row in the registry", "none", _REMOVE))
    for path in there.pending:
        said = "a note of it, and no row yet"
        found.problems.append(_unrecorded(path, "a row in the registry", said, _ADOPT))
    for row in there.missing:
        file = str(root / "artifacts" / row.kind / row.digest)
        about = f"{row.title} {row.digest[:12]}"
        said = "nothing, and no word of who removed it"
        found.problems.append(Problem(LOST, about, file, "the artifact of its row", said, _LOST))
    for o in there.orphans:
        expected = f"a row of {o.parent}, from which {o.child[:12]} was made (as {o.role})"
        found.problems.append(Problem(PARENT, o.parent[:12], where, expected, "none", _BACKUP))


def check_versions(registry: Registry, home: Path, copies: Sequence[str], found: Verdict) -> list[Anchor]:
    """Version records at all places against the registry's rows; what is wrong is noted.

    Returns:
        Events that the records say are on the chain.

    Raises:
        RegistryError: the registry cannot be read.
    """
    compared = versions.compare(registry, home, copies)
    found.records = compared.records
    for d in compared.differences:
        about = f"{d.domain}, {d.alias}, version {d.version} at {d.place}" if d.version else d.place
        found.problems.append(Problem(RECORD, about, d.file, d.expected, d.found, d.fix))
    return compared.anchors


def unusable(error: HierError) -> Problem:
    """A registry that cannot be opened or read, as a problem."""
    fix = error.fix or _BACKUP
    return Problem(REGISTRY, "the registry", error.file, "a registry that can be read", error.message, fix)


def _unrecorded(path: Path, expected: str, said: str, fix: str) -> Problem:
    kind = path.parent.relative_to(path.parents[2]).as_posix()
    return Problem(ORPHAN, f"{kind} {path.name[:12]}", str(path), expected, said, fix)


def _shown(registry: Registry) -> str:
    return make_url(registry.url).render_as_string(hide_password=True)
