"""All that a bundle says of a version, as one JSON record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from hier_dag.audit.bundle.changes import changes
from hier_dag.audit.bundle.verify import COUNTS, FORMAT, LEAKAGE
from hier_dag.audit.evidence.checks import told_checks
from hier_dag.audit.evidence.data import domains, raw_files
from hier_dag.audit.evidence.dates import approvals, erasures, iso, live_dates, reproductions
from hier_dag.audit.evidence.events import Line, machines
from hier_dag.audit.evidence.made_of import Made
from hier_dag.audit.evidence.subject import Subject
from hier_dag.evaluate.scored import HIER


def contents(about: Subject, lines: Sequence[Line], signed_by: str | None) -> dict[str, Any]:
    """Everything about a version that a program may want to read.

    Args:
        about: the version.
        lines: events of the log that it rests on.
        signed_by: id of the key that signs the bundle; None where none does.
    """
    made = about.made
    last = lines[-1]
    return {
        "format": FORMAT,
        "platform": about.platform,
        "domain": about.domain,
        "version": about.row.version,
        "digest": about.row.digest,
        "signed_by": signed_by,
        "contact": about.declared.contact(about.domain),
        "set": about.set_facts,
        "versions": live_dates(about.history),
        "changes": changes(about),
        "domains": domains(made),
        "data": raw_files(made, about.declared),
        "checks": told_checks(about.checks),
        "approvals": approvals(about.registry, about.domain),
        "reproductions": reproductions(about.registry, [one.row.digest for one in made]),
        "erasures": erasures(about.registry, about.domains),
        "leakage": [told for one in made if (told := _certificate(one))],
        "figures": [r for r in _plain(about.records) if r["model"] == HIER],
        "artifacts": [_artifact(one) for one in made],
        "environments": _environments(about),
        "runs": machines(lines),
        "events": {"count": len(lines), "last": {"seq": last["seq"], "hash": last["hash"]}},
    }


def _artifact(one: Made) -> dict[str, Any]:
    row = one.row
    return {
        **{k: getattr(row, k) for k in ("kind", "partition", "digest", "code_version", "code_commit")},
        **{k: getattr(row, k) for k in ("environment", "run_id", "who", "seconds", "bytes", "event")},
        "created_at": iso(row.created_at),
        "in_store": one.artifact is not None,
        **{k: row.manifest[k] for k in ("parents", "params", "seeds", "summary")},
    }


def _environments(about: Subject) -> dict[str, bool]:
    """Environments that made something, by digest: whether the registry can tell of them."""
    digests = sorted({one.row.environment for one in about.made})
    return {digest: about.registry.environment(digest) is not None for digest in digests}


def _certificate(one: Made) -> dict[str, Any] | None:
    """Counts of a leakage certificate; it is among the evidence as a whole."""
    told = one.json(LEAKAGE)
    if not told:
        return None
    counts = {k: told[k] for k in COUNTS if k in told}
    return {"artifact": one.row.digest, "kind": one.row.kind, "partition": one.row.partition, **counts}


def _plain(table: pa.Table | None) -> list[dict[str, Any]]:
    return [] if table is None else list(table.to_pylist())
