"""Every byte of every artifact of a store against its digest, read by several threads."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from hier_dag.audit.verify_verdict import FILE, MANIFEST, STRANGER, Problem, Verdict, unread
from hier_dag.errors import StoreError
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.progress import Step, tell
from hier_dag.store import Artifact, FileEntry
from hier_dag.store.artifact import MANIFEST as MANIFEST_FILE
from hier_dag.store.failures import unreadable
from hier_dag.store.folders import Folder, folders
from hier_dag.store.local import open_folder
from hier_dag.store.names import linked
from hier_dag.train.cores import cores

WORK = "audit/verify"
_BLOCK = 1 << 18  # bytes: still in the core's cache when they are hashed
_TOLD_EVERY = 0.2  # seconds
_AGAIN = "run again: it is set aside, and made again from its recorded inputs"
_RESTORE = f"hier copies check --repair, where a copy has the set; else {_AGAIN}"
_AWAY = "look who wrote it, then remove it: nothing reads it"


def manifests(root: Path, found: Verdict) -> list[Artifact]:
    """Artifacts whose manifest matches their name; what is wrong with the others, and beside them, is noted.

    Args:
        root: of the store.
        found: where problems are noted.
    """
    whole: list[Artifact] = []
    there = folders(root / "artifacts")
    found.problems += [_stranger(path) for path in there.strangers]
    found.problems += [unread(error) for error in there.unread]
    for folder in there.artifacts:
        found.artifacts += 1
        try:
            artifact = open_folder(folder.path, folder.digest)
        except (StoreError, OSError) as error:
            if not _is_gone(folder.path):
                found.problems.append(_manifest(folder, error))
            continue
        whole.append(artifact)
        found.problems += _unnamed(artifact)
        if artifact.manifest.kind != folder.kind:
            found.problems.append(_misplaced(artifact, folder, root))
    return whole


def read_all(artifacts: Sequence[Artifact], found: Verdict) -> set[str]:
    """Reads every file; what is wrong is noted.

    Args:
        artifacts: those whose manifests were found whole.
        found: where problems, bytes and seconds are noted.

    Returns:
        Digests of artifacts with a file that is not what its digest says.
    """
    # The largest first: no thread is left with a long file at the end.
    jobs = sorted(
        ((a, e) for a in artifacts for e in a.manifest.files), key=lambda job: job[1].bytes, reverse=True
    )
    meter, began = _Meter(sum(entry.bytes for _, entry in jobs)), time.perf_counter()
    damaged: set[str] = set()
    # One more than there are cores: while one waits for the disk, the others hash.
    with ThreadPoolExecutor(cores() + 1) as threads:
        running = [threads.submit(_wrong, artifact, entry, meter) for artifact, entry in jobs]
        _tell_until_done(running, meter)
    for future in running:
        problem = future.result()
        if problem is not None:
            found.problems.append(problem.told)
            damaged.add(problem.digest)
    found.files, found.bytes = len(jobs), meter.read
    found.reading_seconds = time.perf_counter() - began
    return damaged


@dataclass(frozen=True)
class _Wrong:
    digest: str
    told: Problem


class _Meter:
    """How many bytes were read."""

    def __init__(self, total: int) -> None:
        self.total, self.read = total, 0
        self._lock = threading.Lock()

    def add(self, n: int) -> None:
        with self._lock:
            self.read += n


def _tell_until_done(running: Sequence[Future[_Wrong | None]], meter: _Meter) -> None:
    left = set(running)
    while left:
        _, left = wait(left, timeout=_TOLD_EVERY)
        text = f"reading {meter.read / 1e6:,.0f} of {meter.total / 1e6:,.0f} MB"
        tell(Step(WORK, text, meter.read, meter.total))


def _wrong(artifact: Artifact, entry: FileEntry, meter: _Meter) -> _Wrong | None:
    """What is wrong with a file; None where nothing is, or a clean-up took the artifact away meanwhile."""
    path = artifact.path / entry.path
    expected = f"SHA-256 {entry.sha256}, {entry.bytes:,} bytes"
    try:
        if linked(artifact.path, entry.path) is not None:
            said = "a link to another place"
        else:
            digest, size = _hashed(path, meter)
            if (digest, size) == (entry.sha256, entry.bytes):
                return None
            said = f"SHA-256 {digest}, {size:,} bytes"
    except OSError as error:
        if _is_gone(artifact.path):
            return None
        said = "nothing" if error.errno == errno.ENOENT else f"it cannot be read: {error.strerror or error}"
    return _Wrong(
        artifact.digest,
        Problem(FILE, _title(artifact), str(path), expected, said, _mend(artifact.manifest.kind)),
    )


def _hashed(path: Path, meter: _Meter) -> tuple[str, int]:
    """SHA-256 and size of a file.

    Raises:
        OSError: it cannot be read.
    """
    hashed, size, block = hashlib.sha256(), 0, memoryview(bytearray(_BLOCK))
    with path.open("rb", buffering=0) as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        while n := file.readinto(block):
            hashed.update(block[:n])
            size += n
            meter.add(n)
    return hashed.hexdigest(), size


def _unnamed(artifact: Artifact) -> Iterator[Problem]:
    """Files in a folder that its manifest does not name, and folders in it that cannot be read."""
    errors = list[OSError]()
    named = {entry.path for entry in artifact.manifest.files} | {MANIFEST_FILE}
    for folder, inside, files in os.walk(artifact.path, onerror=errors.append):
        links = [name for name in inside if Path(folder, name).is_symlink()]
        for name in sorted((*files, *links)):
            path = Path(folder, name)
            if path.relative_to(artifact.path).as_posix() not in named:
                yield Problem(
                    STRANGER,
                    _title(artifact),
                    str(path),
                    "files of the manifest alone",
                    "one that it lacks",
                    _AWAY,
                )
    yield from (unread(unreadable(error, artifact.path)) for error in errors if not _is_gone(artifact.path))


def _is_gone(folder: Path) -> bool:
    """Whether a clean-up took an artifact away since; one that cannot be looked at is there."""
    try:
        folder.lstat()
    except OSError as error:
        return error.errno in (errno.ENOENT, errno.ENOTDIR)
    return False


def _manifest(folder: Folder, error: StoreError | OSError) -> Problem:
    said = error.message if isinstance(error, StoreError) else f"it cannot be read: {error.strerror or error}"
    file, where = str(folder.path / MANIFEST_FILE), f"{folder.kind} {folder.digest[:12]}"
    return Problem(MANIFEST, where, file, f"SHA-256 {folder.digest}", said, _mend(folder.kind))


def _misplaced(artifact: Artifact, folder: Folder, root: Path) -> Problem:
    kind, where = artifact.manifest.kind, f"{folder.kind} {folder.digest[:12]}"
    place = root / "artifacts" / kind / folder.digest
    fix = f"move it to {place}, unless it is there"
    return Problem(MANIFEST, where, str(folder.path), f"an artifact of kind {folder.kind}", kind, fix)


def _stranger(path: Path) -> Problem:
    said = "a link to another place" if path.is_symlink() else "something else"
    return Problem(
        STRANGER, path.name, str(path), "folders of artifacts, named by their digests", said, _AWAY
    )


def _mend(kind: str) -> str:
    return _RESTORE if kind == PUBLISHED else _AGAIN


def _title(artifact: Artifact) -> str:
    m = artifact.manifest
    return (
        f"{m.kind}[{m.partition}] {artifact.digest[:12]}"
        if m.partition
        else f"{m.kind} {artifact.digest[:12]}"
    )
