"""Compressed files, read within bounds: a zip bomb is refused while it is read, before it lies anywhere.

A gzip file of 10 MB can hold 10 GB of zeros. Two bounds say how much one file may become: a number of bytes,
and a multiple of its own size that no log reaches. The multiple counts beyond `FREE_BYTES` alone, so that
small files of one repeated line are fine.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from hier_dag.config.stages import IngestParams
from hier_dag.errors import SourceError

FREE_BYTES = 64 << 20
"""Decompressed bytes up to which the ratio is not looked at."""


@dataclass(frozen=True)
class Bounds:
    """How much one file may become.

    Attributes:
        most_bytes: decompressed bytes.
        most_ratio: decompressed bytes for each byte of the file, looked at beyond `FREE_BYTES`.
    """

    most_bytes: int
    most_ratio: float

    @classmethod
    def of(cls, params: IngestParams) -> Bounds:
        """The bounds that a declaration sets."""
        return cls(params.max_decompressed_bytes, params.max_decompressed_ratio)

    def check(self, becomes: int, size: int, place: Mapping[str, Any], what: str = "decompresses to") -> None:
        """Refuses a file of `size` bytes that becomes `becomes` bytes, or more.

        Args:
            becomes: decompressed bytes so far, or as the file claims.
            size: bytes of the file.
            place: domain and file, for the error.
            what: how the file came to that figure.

        Raises:
            SourceError: beyond one of the bounds.
        """
        if becomes > self.most_bytes:
            limit, key = f"{self.most_bytes:,} bytes", "max_decompressed_bytes"
        elif becomes > FREE_BYTES and becomes > self.most_ratio * size:
            limit, key = f"{self.most_ratio:g} times its {size:,} bytes", "max_decompressed_ratio"
        else:
            return
        raise SourceError(
            f"the file {what} more than {limit}: it may be a zip bomb, and nothing of it was kept.",
            fix=f"deliver the log in several files; or raise stages.ingest.{key} if it is what it should be",
            **place,
        )


class _Counted(io.RawIOBase):
    """A decompressing stream that refuses to go beyond its bounds; memory is that of one read."""

    def __init__(self, stream: gzip.GzipFile, size: int, bounds: Bounds, place: Mapping[str, Any]) -> None:
        self._stream, self._size, self._bounds, self._place = stream, size, bounds, place
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._given += len(data)
        self._bounds.check(self._given, self._size, self._place)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def open_bounded(path: Path, bounds: Bounds, place: Mapping[str, Any]) -> BinaryIO:
    """Opens a file for reading bytes; one that ends in .gz is decompressed, all its members as one stream.

    Args:
        path: the file.
        bounds: how much it may become; reading beyond raises a `SourceError`.
        place: domain and file, for that error.
    """
    if path.suffix != ".gz":
        return path.open("rb")
    counted = _Counted(gzip.GzipFile(path, "rb"), path.stat().st_size, bounds, place)
    return io.BufferedReader(counted, buffer_size=1 << 20)
