"""What the system says of a disk that is full or broken, as an error of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hier_dag.errors import StoreError


@contextmanager
def told(path: str | Path) -> Iterator[None]:
    """Turns an error of the system into a `StoreError` that names the file and a fix.

    Args:
        path: named where the system's error names none.

    Raises:
        StoreError: for any OSError inside the block.
    """
    try:
        yield
    except OSError as e:
        raise StoreError(
            f"the file cannot be written: {e.strerror or e}",
            file=str(e.filename2 or e.filename or path),
            fix="free space, or mend the disk or its rights, then run again: what is live stays live",
        ) from e
