"""Events of the registry's log that a bundle rests on, with their places in the chain of hashes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select, union
from sqlalchemy.orm import Session

from hier_dag.audit.evidence.made_of import Made
from hier_dag.registry import Registry
from hier_dag.registry.aliases import LIVE
from hier_dag.registry.projections import RUN
from hier_dag.registry.tables import (
    AliasRecord,
    ArtifactRecord,
    CheckRecord,
    DecisionRecord,
    EnvironmentRecord,
    EventRecord,
    RunRecord,
)

Line = dict[str, Any]


def events(registry: Registry, domain: str, made: Sequence[Made]) -> list[Line]:
    """Events about what a set was made of, about its domain's `live`, and decisions about either.

    Args:
        registry: of the platform.
        domain: the target domain.
        made: what the set was made of.

    Returns:
        seq, hash, entry (canonical JSON, which the hash is of), signature (null where the log is not
        signed), in the log's order.
    """
    digests = [one.row.digest for one in made]
    environments = sorted({one.row.environment for one in made})
    runs = sorted({one.row.run_id for one in made})
    of_live = (
        AliasRecord.platform == registry.platform,
        AliasRecord.domain == domain,
        AliasRecord.alias == LIVE,
    )
    of_domain = (DecisionRecord.platform == registry.platform, DecisionRecord.domain == domain)
    of_runs = (RunRecord.platform == registry.platform, RunRecord.run_id.in_(runs))
    wanted = union(
        _seqs(ArtifactRecord.event, ArtifactRecord.digest.in_(digests)),
        _seqs(EnvironmentRecord.event, EnvironmentRecord.digest.in_(environments)),
        _seqs(CheckRecord.event, CheckRecord.artifact.in_(digests)),
        _seqs(RunRecord.event, *of_runs),
        _seqs(AliasRecord.event, *of_live),
        _seqs(DecisionRecord.event, *of_domain),
        _seqs(DecisionRecord.event, DecisionRecord.subject.in_(digests)),
    ).subquery()
    columns = ("seq", "hash", "entry", "signature")
    query = select(*(getattr(EventRecord, c) for c in columns))
    query = query.join(wanted, wanted.c[0] == EventRecord.seq).order_by(EventRecord.seq)

    def work(s: Session) -> list[Line]:
        return [dict(zip(columns, row, strict=True)) for row in s.execute(query)]

    return registry.read(work)


def machines(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Where the runs of some events were: run, machine (host, system, cores, devices, driver), commit."""
    told = (json.loads(line["entry"]) for line in lines)
    return [{"run_id": e["run_id"], **e["body"]} for e in told if e["kind"] == RUN]


def _seqs(column: Any, *which: Any) -> Select[tuple[int]]:
    return select(column).where(*which)
