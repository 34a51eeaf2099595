"""Places that fsspec reaches: the file system of a root, and what its driver says as an error of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
from fsspec import AbstractFileSystem

from hier_dag.errors import HierError
from hier_dag.store.failures import StorageError

_MEND = "look at the place's address, keys, rights and free space, then run again: what is live stays live"
_S3 = "run: pip install -e '.[s3]'"
_DRIVER = "install the driver that the message names, then run again: what is live stays live"


def filesystem(root: str | Path) -> tuple[AbstractFileSystem | None, str]:
    """The file system of a root and the root on it; None stands for this machine's own."""
    if isinstance(root, Path) or "://" not in root:
        return None, str(root)
    fs, path = fsspec.core.url_to_fs(root)
    return (None, str(path)) if "file" in _protocols(fs) else (fs, str(path))


@contextmanager
def place_errors(place: str) -> Iterator[None]:
    """Turns whatever fsspec or a driver raises into a `StorageError`; errors of ours pass as they are.

    Drivers share no class of errors: one raises OSError, the next its client's own exceptions.

    Args:
        place: folder, URL or path on a file system; named in the error.

    Raises:
        StorageError: for any other exception inside the block, with its cause and a fix.
    """
    try:
        yield
    except HierError:
        raise
    except ImportError as e:
        fix = _S3 if "s3fs" in str(e) else _DRIVER
        raise StorageError(f"the place cannot be reached: {e}", file=place, fix=fix) from e
    except Exception as e:
        cause = e.strerror if isinstance(e, OSError) and e.strerror else f"{type(e).__name__}: {e}"
        raise StorageError(f"the place refuses: {cause}", file=place, fix=_MEND) from e


def _protocols(fs: AbstractFileSystem) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)
