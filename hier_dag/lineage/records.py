"""Records of many artifacts, manifests and all, and results of their checks, in one query each."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hier_dag.errors import StoreError
from hier_dag.registry import ArtifactRow
from hier_dag.registry.artifacts import artifact_row_of
from hier_dag.registry.tables import ArtifactRecord, CheckRecord, EventRecord


def known(s: Session, digests: Collection[str]) -> dict[str, ArtifactRow]:
    """Records of artifacts by digest.

    Args:
        s: a transaction.
        digests: in full.

    Raises:
        StoreError: one of them is not on record.
    """
    query = (
        select(ArtifactRecord, EventRecord.entry)
        .join(EventRecord, EventRecord.seq == ArtifactRecord.event)
        .where(ArtifactRecord.digest.in_(digests))
    )
    found = {row.digest: artifact_row_of(row, entry) for row, entry in s.execute(query).tuples()}
    for digest in digests:
        if digest not in found:
            raise StoreError(
                f"the registry does not know artifact {digest[:12]}",
                fix="run: hier run (it records it again)",
            )
    return found


def results_of(s: Session, digests: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """Name and result (`passed`) of each check of artifacts, oldest first, by digest; facts are not read.

    Args:
        s: a transaction.
        digests: in full; one without a check has an empty list.
    """
    query = (
        select(CheckRecord.artifact, CheckRecord.name, CheckRecord.passed)
        .where(CheckRecord.artifact.in_(digests))
        .order_by(CheckRecord.event, CheckRecord.position)
    )
    found: dict[str, list[dict[str, Any]]] = {digest: [] for digest in digests}
    for digest, name, passed in s.execute(query):
        found[digest].append({"name": name, "passed": passed})
    return found
