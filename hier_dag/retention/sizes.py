"""How much room artifacts take: files that several share are freed with the last of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path


def bytes_below(folder: Path) -> int:
    """Bytes of all files below a folder, or of a file."""
    return sum(s.st_size for s in _stats(folder))


def freed(paths: Iterable[Path]) -> int:
    """Bytes that removing these folders and files would free.

    An ingest links the parts of files that did not change, so that they are on disk once.
    """
    sizes: dict[tuple[int, int], tuple[int, int]] = {}
    names: Counter[tuple[int, int]] = Counter()
    for s in (s for path in paths for s in _stats(path)):
        inode = (s.st_dev, s.st_ino)
        sizes[inode] = (s.st_size, s.st_nlink)
        names[inode] += 1
    return sum(size for inode, (size, links) in sizes.items() if names[inode] >= links)


def _stats(path: Path) -> Iterator[os.stat_result]:
    inside = (Path(folder, name) for folder, _, files in os.walk(path) for name in files)
    for file in inside if path.is_dir() and not path.is_symlink() else (path,):
        with suppress(FileNotFoundError):
            yield file.lstat()
