"""Where published sets lie: a folder of this machine, or any file system that pyarrow opens."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Protocol

from pyarrow import fs

from hier_dag.errors import StoreError
from hier_dag.publish.reader.cache import limit, prune, used
from hier_dag.publish.reader.layout import RECORDS, SETS
from hier_dag.publish.reader.reading import RERUN, plain_file


class Place(Protocol):
    """A root; names are relative to it, with forward slashes."""

    @property
    def remote(self) -> bool:
        """Whether files are copied before they are read."""

    def names(self, folder: str) -> list[str]:
        """Names of what lies in a folder, in any order; empty where there is no such folder."""

    def read(self, name: str, limit: int) -> bytes:
        """The first `limit` bytes of a file.

        Raises:
            FileNotFoundError: when there is none.
            StoreError: when it is a link, or cannot be read.
        """

    def local(self, name: str, *, again: bool = False) -> Path:
        """A file of a set on this machine; `again` copies it though a copy is there. Errors as `read`."""

    def told(self, name: str) -> str:
        """How a file is called in messages."""


class LocalPlace:
    """A folder of this machine. Nothing of a set or of an alias may be a link to another place.

    Args:
        root: the folder.
    """

    remote = False

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self, folder: str) -> list[str]:
        """Names of what lies in a folder; empty where there is no such folder."""
        try:
            return os.listdir(self._unlinked(folder))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def read(self, name: str, limit: int) -> bytes:
        """The first `limit` bytes of a file."""
        with plain_file(self._unlinked(name)) as (fd, _), os.fdopen(os.dup(fd), "rb") as file:
            return file.read(limit)

    def local(self, name: str, *, again: bool = False) -> Path:
        """The file itself."""
        return self._unlinked(name)

    def told(self, name: str) -> str:
        """The file's path."""
        return str(self._root / name)

    def _unlinked(self, name: str) -> Path:
        # `store` and `live` themselves may lie on another disk; what is below them was written whole.
        trusted = next((f for f in (SETS, RECORDS) if name.startswith(f"{f}/")), name)
        path = self._root / trusted
        for part in name.removeprefix(trusted).strip("/").split("/"):
            path = path / part
            if part and path.is_symlink():
                raise StoreError("this is a link to another place", file=str(path), fix=RERUN)
        return path


class RemotePlace:
    """A prefix of a file system that pyarrow opens; files of sets are copied to this machine, once.

    Args:
        filesystem: the file system.
        prefix: path of the root in it.
        cache: folder for the copies, one folder a set, named by its digest; sets used longest ago go first
            where they take more than `HIER_CACHE_BYTES` (default 20 GB).
    """

    remote = True

    def __init__(self, filesystem: fs.FileSystem, prefix: str, cache: Path) -> None:
        self._filesystem = filesystem
        self._prefix = prefix.rstrip("/")
        self._cache = cache

    def names(self, folder: str) -> list[str]:
        """Names of what lies in a folder; empty where there is no such folder."""
        selector = fs.FileSelector(self._path(folder), allow_not_found=True)
        with self._asking(folder):
            return [info.base_name for info in self._filesystem.get_file_info(selector)]

    def read(self, name: str, limit: int) -> bytes:
        """The first `limit` bytes of a file."""
        with self._asking(name), self._filesystem.open_input_stream(self._path(name)) as file:
            return bytes(file.read(limit))

    def local(self, name: str, *, again: bool = False) -> Path:
        """The copy of a file of a set, made when it is not there; whole or not at all.

        Raises:
            UsageError: the environment's bound on copies (`HIER_CACHE_BYTES`) is no number.
        """
        path = self._cache / name.removeprefix(f"{SETS}/")
        used(path.parent)
        if path.is_file() and not again:
            return path
        at_most = limit()
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = path.with_name(f".{uuid.uuid4().hex}.tmp")
        try:
            with self._asking(name):
                fs.copy_files(
                    self._path(name),
                    str(staged),
                    source_filesystem=self._filesystem,
                    destination_filesystem=fs.LocalFileSystem(),
                )
            staged.replace(path)
        finally:
            staged.unlink(missing_ok=True)
        prune(self._cache, at_most)
        return path

    def told(self, name: str) -> str:
        """Kind of file system and path."""
        return f"{self._filesystem.type_name}:{self._path(name)}"

    def _path(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    def _asking(self, name: str) -> _Asking:
        return _Asking(self.told(name))


class _Asking:
    """Turns what a file system says, other than that a file is not there, into a `StoreError`."""

    def __init__(self, file: str) -> None:
        self._file = file

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
            raise StoreError(
                f"the file cannot be read: {str(error)[:200]}",
                file=self._file,
                fix="check the address, the credentials and the network, then try again",
            ) from error


def place_of(root: str | Path, filesystem: fs.FileSystem | None, cache: str | Path | None) -> Place:
    """The place that a root names.

    Args:
        root: a folder, or a URL such as `s3://bucket/prefix`; with `filesystem`, a path in it.
        filesystem: the file system to read, where the root is no URL that pyarrow knows.
        cache: folder for copies of what is not on this machine; None takes the user's cache folder.
    """
    copies = Path(cache) if cache is not None else _user_cache()
    if filesystem is not None:
        return RemotePlace(filesystem, str(root), copies)
    if isinstance(root, Path) or "://" not in root:
        return LocalPlace(Path(root))
    filesystem, path = fs.FileSystem.from_uri(root)
    if isinstance(filesystem, fs.LocalFileSystem):
        return LocalPlace(Path(path))
    return RemotePlace(filesystem, path, copies)


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hier_dag" / "sets"
