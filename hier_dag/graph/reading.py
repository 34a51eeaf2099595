"""Reading what artifacts hold: safetensors, Parquet and JSON, and a `StoreError` for anything else.

None of these formats can hold code. Whatever else lies under their name, a pickle among it, is refused by the
format's own reader; no reader here falls back on another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from safetensors import SafetensorError

from hier_dag.errors import StoreError

_UNREADABLE = (
    OSError, pa.ArrowException, SafetensorError, LookupError, ValueError, TypeError, OverflowError,
    RecursionError,
)  # fmt: skip


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Turns what a reader says of a file that is not what it should be into a `StoreError` that names it."""
    try:
        yield
    except _UNREADABLE as error:
        what = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise StoreError(
            f"the file is not what its name says: {what}",
            file=str(file),
            fix="run the pipeline again: the artifact is rebuilt from its recorded inputs",
        ) from error
