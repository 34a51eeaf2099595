"""What a note says: whatever the registry must hear of an artifact beyond its manifest."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from hier_dag.environment import code_commit, machine, user
from hier_dag.errors import StoreError
from hier_dag.registry import CheckRow
from hier_dag.registry.chain import ascii_json
from hier_dag.store.names import checked_digest, checked_kind


@dataclass(frozen=True)
class Note:
    """What the registry is to hear of an artifact beyond its manifest.

    Attributes:
        kind: of the artifact.
        digest: its digest.
        checks: that it passed.
        run_id: of the run that made it.
        seconds: that it took.
        commit: of the code that made it.
        who: whose process it was.
        machine: where that ran.
        at: when the note was written, ISO 8601, UTC.
    """

    kind: str
    digest: str
    checks: tuple[CheckRow, ...]
    run_id: str
    seconds: float
    commit: str
    who: str
    machine: dict[str, Any]
    at: str

    @classmethod
    def of_now(cls, kind: str, digest: str, checks: list[CheckRow], *, run_id: str, seconds: float) -> Note:
        """A note of this process."""
        return cls(
            kind=kind,
            digest=digest,
            checks=tuple(checks),
            run_id=run_id,
            seconds=seconds,
            commit=code_commit(),
            who=user(),
            machine=machine(),
            at=datetime.now(UTC).isoformat(),
        )

    def to_bytes(self) -> bytes:
        """The note as it lies on the disk."""
        return ascii_json(asdict(self)).encode()

    @classmethod
    def of_bytes(cls, data: bytes) -> Note | None:
        """A note; None for one that its process did not finish writing: it committed nothing then."""
        try:
            note = _NOTE.validate_json(data, strict=True)
            checked_kind(note.kind)
            checked_digest(note.digest)
        except (ValueError, StoreError):
            return None
        return note


_NOTE = TypeAdapter(Note)
