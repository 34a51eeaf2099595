"""Anchors: where the chain ended at some moment, kept outside the registry.

Who can write to the database could cut the log's end off, or rewrite it all with hashes that fit. An anchor
that lies elsewhere shows both: its event must be on the chain for ever.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hier_dag.durable import append_line
from hier_dag.errors import UsageError
from hier_dag.names import is_digest
from hier_dag.registry.chain import Head

_NOTES = "hier"


@dataclass(frozen=True)
class Anchor:
    """An event that was on the chain.

    Attributes:
        seq: its number.
        hash: its hash.
        at: when the anchor was made, ISO 8601; empty where that is not known.
        where: where the anchor lies, in words.
    """

    seq: int
    hash: str
    at: str
    where: str


def append_anchor(file: Path, head: Head) -> None:
    """Appends the chain's head to a file of anchors, one JSON object a line.

    Raises:
        OSError: the file cannot be written.
    """
    append_line(file, _line(head))


def read_anchors(file: Path) -> list[Anchor]:
    """Anchors of a file.

    Raises:
        UsageError: it cannot be read, or a line is no anchor.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(f"no anchors can be read: {e}", file=str(file), fix="name another file") from None
    return [_anchor(line, f"{file}:{n}") for n, line in enumerate(lines, 1) if line.strip()]


def note_anchor(repository: Path, head: Head) -> str:
    """Adds the chain's head to the notes `refs/notes/hier` of a Git repository's newest commit.

    Returns:
        The commit.

    Raises:
        UsageError: Git refuses: no repository, no commit.
    """
    _git(repository, "notes", "--ref", _NOTES, "append", "-m", _line(head), "HEAD")
    return _git(repository, "rev-parse", "HEAD").strip()


def noted_anchors(repository: Path) -> list[Anchor]:
    """Anchors in the notes `refs/notes/hier` of a Git repository.

    Raises:
        UsageError: Git refuses, or a note is no anchor.
    """
    found: list[Anchor] = []
    for pair in _git(repository, "notes", "--ref", _NOTES, "list").split("\n"):
        if pair:
            note, commit = pair.split()
            lines = _git(repository, "cat-file", "blob", note).splitlines()
            found += [_anchor(line, f"note of commit {commit[:12]}") for line in lines if line.strip()]
    return found


def _line(head: Head) -> str:
    return json.dumps({"seq": head.seq, "hash": head.hash, "at": datetime.now(UTC).isoformat()})


def _anchor(line: str, where: str) -> Anchor:
    try:
        told = json.loads(line)
        seq, event_hash, at = told["seq"], told["hash"], str(told.get("at", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        seq, event_hash, at = None, None, ""
    if type(seq) is not int or not is_digest(event_hash):
        raise UsageError("this is no anchor", file=where, fix='a line is {"seq": 12, "hash": "…", "at": "…"}')
    return Anchor(seq, event_hash, at, where)


def _git(repository: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(repository), *words], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        raise UsageError(f"Git cannot be asked: {e}", file=str(repository)) from None
    if done.returncode != 0:
        raise UsageError(
            f"Git refuses: {done.stderr.strip()}",
            file=str(repository),
            fix="name the folder of a repository with at least one commit",
        )
    return done.stdout
