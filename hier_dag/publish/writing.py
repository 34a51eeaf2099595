"""Files that are hashed and flushed while they are written: none is read again for its digest."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from hier_dag.errors import StoreError
from hier_dag.store.artifact import FileEntry
from hier_dag.store.failures import told

_CHUNK = 1 << 20  # bytes a queued piece has at most
_WAITING = 64  # pieces that may wait: 64 MiB
_FLUSH_EVERY = 1 << 26  # bytes; the disk then works while the next ones are being made


class HashedFile:
    """A new file for writing only: threads hash, write and flush while the caller goes on.

    Made by `HashedFolder.create`. `close` does nothing: whoever writes (pyarrow, FAISS) may call it, and
    only `finish` makes the file whole.

    Args:
        path: the file; must not be there.

    Raises:
        StoreError: when the file cannot be made.
    """

    closed = False

    def __init__(self, path: Path) -> None:
        self._path = path
        with told(path):
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._failed: Exception | None = None
        self._pieces: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self._helpers = ThreadPoolExecutor(2)
        self._flushing: Future[None] | None = None
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._worker.start()

    def write(self, data: bytes) -> int:
        """Takes the next bytes; blocks while 64 MiB wait.

        Raises:
            StoreError: when earlier bytes could not be written.
        """
        whole = memoryview(data)
        for start in range(0, len(whole), _CHUNK):
            self._check()
            # A piece is the caller's own bytes object where it is one already, else a copy.
            self._pieces.put(data if len(whole) <= _CHUNK else bytes(whole[start : start + _CHUNK]))
        return len(whole)

    def flush(self) -> None:
        """Does nothing: flushing goes on all the time."""

    def close(self) -> None:
        """Does nothing: see `finish`."""

    def finish(self, name: str) -> FileEntry:
        """Waits until every byte is on disk.

        Args:
            name: of the file in its artifact.

        Raises:
            StoreError: when a byte could not be written or flushed.
        """
        self._pieces.put(None)
        self._worker.join()
        self._check()
        try:
            if self._flushing is not None:
                self._flushing.result()
            os.fsync(self._fd)
        except OSError as error:
            self._failed = error
        self._check()
        return FileEntry(path=name, sha256=self._hash.hexdigest(), bytes=self._bytes)

    def release(self) -> None:
        """Ends the threads and closes the file, finished or not."""
        if self._worker.is_alive():
            self._pieces.put(None)
            self._worker.join()
        self._helpers.shutdown()
        os.close(self._fd)

    def _check(self) -> None:
        if self._failed is not None:
            raise StoreError(
                f"the file cannot be written: {getattr(self._failed, 'strerror', None) or self._failed}",
                file=str(self._path),
                fix="free space or mend the disk, then run again: nothing was published",
            ) from self._failed

    def _work(self) -> None:
        flushed = 0
        while (piece := self._pieces.get()) is not None:
            if self._failed is not None:
                continue  # what waits is taken off the queue, so that `write` never blocks for ever
            try:
                hashing = self._helpers.submit(self._hash.update, piece)
                rest = memoryview(piece)
                while rest:
                    rest = rest[os.write(self._fd, rest) :]
                hashing.result()
                self._bytes += len(piece)
                if self._bytes - flushed >= _FLUSH_EVERY and self._idle():
                    self._flushing = self._helpers.submit(os.fdatasync, self._fd)
                    flushed = self._bytes
            except Exception as error:  # told by the next `write`; a thread that ended would leave it waiting
                self._failed = error

    def _idle(self) -> bool:
        """Whether no flush is under way; one that failed is told here, for the kernel tells it only once."""
        if self._flushing is None:
            return True
        if self._flushing.done():
            self._flushing.result()
            return True
        return False


class HashedFolder:
    """A staged folder whose files are hashed as they are written.

    Args:
        path: the folder; must be there.

    Attributes:
        entries: name, SHA-256 and size of each file finished so far.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[FileEntry] = []

    @contextmanager
    def create(self, name: str) -> Iterator[HashedFile]:
        """A new file of the folder; on disk and in `entries` once the block has ended without an error."""
        file = HashedFile(self.path / name)
        try:
            yield file
            self.entries.append(file.finish(name))
        finally:
            file.release()
