"""Rows of a registry that had no log become events of one, so that history before it is not lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from hier_dag.registry.aliases import as_utc
from hier_dag.registry.log import Log
from hier_dag.registry.projections import ALIAS, ARTIFACT, CHECKS, DECISION, ENVIRONMENT, IMPORTED, REQUEST

Row = Mapping[Any, Any]
# Of what happened at the same time, what others refer to comes first.
_ORDER = (ENVIRONMENT, ARTIFACT, REQUEST, CHECKS, DECISION, ALIAS)


def import_tables(s: Session, rows: Mapping[str, Sequence[Row]]) -> None:
    """Puts the rows of all tables on record, oldest first, and how many there were.

    Nothing proves these rows: the chain vouches for them from the moment on at which they are imported.

    Args:
        s: a writing transaction on the new tables.
        rows: of each old table, by name.
    """
    found = sorted(_events(Log(s, ""), rows), key=lambda e: (as_utc(e[0]), _ORDER.index(e[2]), e[5]))
    log = Log(s, "")
    for at, platform, kind, who, run_id, _, body in found:
        log.platform = platform
        log.append(kind, body, run_id=run_id, who=who, at=as_utc(at))
    log.platform = ""
    log.append(IMPORTED, {"rows": {name: len(table) for name, table in sorted(rows.items())}})


Found = tuple[datetime, str, str, str, str, int, dict[str, Any]]


def _events(log: Log, rows: Mapping[str, Sequence[Row]]) -> Iterator[Found]:
    parents: dict[str, dict[str, str]] = defaultdict(dict)
    for r in rows["parents"]:
        parents[r["child"]][r["role"]] = r["parent"]
    first: dict[str, datetime] = {}
    for r in rows["artifacts"]:
        first[r["environment"]] = min(r["created_at"], first.get(r["environment"], r["created_at"]))
    for n, r in enumerate(rows["environments"]):
        if r["digest"] in first:  # it is known by its artifacts alone
            yield first[r["digest"]], "", ENVIRONMENT, "", "", n, {"digest": r["digest"], "facts": r["facts"]}
    for n, r in enumerate(rows["artifacts"]):
        body = {k: r[k] for k in ("digest", "manifest", "code_commit", "seconds")}
        yield r["created_at"], "", ARTIFACT, "", r["run_id"], n, body
    for r in rows["requests"]:
        body = {k: r[k] for k in ("request_key", "digest")}
        yield r["created_at"], r["platform"], REQUEST, "", r["run_id"], r["id"], body
    yield from _checks(log, rows["checks"])
    for r in rows["decisions"]:
        until = None if r["until"] is None else as_utc(r["until"]).isoformat()
        named = {k: r[k] for k in ("domain", "kind", "subject", "why")}
        body = {**named, "until": until, "facts": {}, "imported": True}
        yield r["created_at"], r["platform"], DECISION, r["who"], "", r["id"], body
    for r in rows["aliases"]:
        named_of = ("domain", "alias", "version", "digest", "action", "change", "space", "facts", "why")
        body = {**{k: r[k] for k in named_of}, "imported": True}
        yield r["created_at"], r["platform"], ALIAS, r["who"], r["run_id"], r["id"], body


def _checks(log: Log, rows: Sequence[Row]) -> Iterator[Found]:
    """Checks that were recorded together, at one time of one artifact, are one event."""
    about = ("artifact", "request_key", "kind", "partition")
    together: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for r in sorted(rows, key=lambda r: r["id"]):
        together[r["created_at"], r["platform"], r["run_id"], *(r[k] for k in about)].append(r)
    for (at, platform, run_id, *named), group in together.items():
        told = [{"name": r["name"], "passed": r["passed"], "facts": log.detail(r["facts"])} for r in group]
        body = {**dict(zip(about, named, strict=True)), "checks": told, "imported": True}
        yield at, platform, CHECKS, "", run_id, group[0]["id"], body
