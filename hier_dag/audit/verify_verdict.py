"""What a verification comes to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from hier_dag.store.failures import StorageError

MANIFEST, FILE, STRANGER, UNREAD = "manifest", "file", "stranger", "unreadable"
REGISTRY, CHAIN, PARENT, ORPHAN, LOST = "registry", "chain", "parent", "orphan", "lost"
RECORD, LEAKAGE, ERASURE = "version record", "leakage", "erasure"


@dataclass(frozen=True)
class Problem:
    """Something that is not as it should be.

    Attributes:
        what: what kind of thing is wrong, one of the words above.
        where: which one: an artifact, an event, a version.
        file: the file or database where it was found; None where it is in none.
        expected: what should be there.
        found: what is.
        fix: what to do.
    """

    what: str
    where: str
    file: str | None
    expected: str
    found: str
    fix: str


@dataclass
class Verdict:
    """All of it.

    Attributes:
        platform: whose store and records were verified; the log is that of all that share the database.
        artifacts: in the store.
        files: of artifacts, whose bytes were compared with their digests.
        bytes: that were read for that.
        reading_seconds: that it took.
        events: of the log.
        head: hash of the newest one.
        signed_up_to: number of the last event with a signature that holds; 0 for none.
        anchors: events that version records, files and notes say are on the chain.
        rows: artifacts on record.
        records: version records that were compared, at all places.
        erasures: of users, on record.
        proven: claims about leakage that hold.
        not_asked: what was left out, and why.
        remarks: what is odd in the log, and no sign of forgery.
        problems: everything that is wrong.
    """

    platform: str
    artifacts: int = 0
    files: int = 0
    bytes: int = 0
    reading_seconds: float = 0.0
    events: int = 0
    head: str = ""
    signed_up_to: int = 0
    anchors: int = 0
    rows: int = 0
    records: int = 0
    erasures: int = 0
    proven: int = 0
    not_asked: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        """Notes a problem, once: several parts may meet it."""
        if problem not in self.problems:
            self.problems.append(problem)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """The verdict as a JSON-serialisable record."""
        return {"sound": self.sound, **asdict(self)}


def unread(error: StorageError) -> Problem:
    """A file or folder that the system does not let be read, as a problem."""
    where = (error.file or "").rpartition("/")[2]
    return Problem(UNREAD, where, error.file, "what can be read", error.message, error.fix or "")
