"""A text file made fit for the parser: bad bytes and quotes that are never closed become visible."""

from __future__ import annotations

import codecs
import csv
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from hier_dag.errors import SourceError
from hier_dag.ingest.decompress import Bounds, open_bounded

CHUNK = 1 << 20
BLOCK = 8 << 20  # bytes; the longest row that can be read
_ODD_QUOTES = re.compile(rb'(?m)^[^"\n]*"(?:[^"\n]*"[^"\n]*")*[^"\n]*$')
_ENDLESS = f"the file cannot be read: a row is longer than {BLOCK >> 20} MiB, or a quote is never closed."
_MEND = "deliver the file again: it is cut short, corrupt, or not in the declared format"


def scrub(path: Path, out: Path, bounds: Bounds, place: Mapping[str, Any], *, quotes: bool) -> Path:
    """The file itself where it is sound; else a copy with bad bytes and unclosed quotes made visible.

    Args:
        path: the file, .gz or not.
        out: the copy lies beside this file, with the suffix `.clean`.
        bounds: how much it may become; the whole file is read once within them before anything is written.
        place: domain and file, for errors.
        quotes: whether quotes mean anything (CSV).

    Raises:
        SourceError: when it is not readable, or becomes too much.
    """
    try:
        valid, count = _scan(path, bounds, place)
        odd = quotes and count % 2 == 1
        if valid and not odd:
            return path
        copy = out.with_suffix(".clean")
        with open_bounded(path, bounds, place) as raw, copy.open("wb") as f:
            fields = 0
            while chunk := raw.read(CHUNK) + _rest_of_line(raw, place):
                chunk = chunk.decode("utf-8", "replace").encode()
                if odd:
                    fields = fields or _fields_of_header(chunk, place)
                    chunk = _break_lines(chunk, fields)
                f.write(chunk)
        return copy
    except (OSError, EOFError, zlib.error, csv.Error) as e:
        raise unreadable(e, place) from e


def _rest_of_line(raw: BinaryIO, place: Mapping[str, Any]) -> bytes:
    line = raw.readline(BLOCK)
    if len(line) == BLOCK and not line.endswith(b"\n"):
        raise SourceError(_ENDLESS, fix=_MEND, **place)
    return line


def _fields_of_header(chunk: bytes, place: Mapping[str, Any]) -> int:
    line = chunk.lstrip(b"\r\n").split(b"\n", 1)[0]
    if line.count(b'"') % 2:
        raise SourceError("a quote in the header is never closed.", fix=_MEND, **place)
    return line.count(b",") + 1 if b'"' not in line else len(next(csv.reader([line.decode()])))


def _break_lines(chunk: bytes, fields: int) -> bytes:
    """Lines with an odd number of quotes lose them, and their number of fields is not that of the header."""

    def break_line(line: re.Match[bytes]) -> bytes:
        text = line[0].replace(b'"', b"")
        bare = text.rstrip(b"\r")
        marked = bare or b","  # a blank line would be no row at all
        if marked.count(b",") + 1 == fields:
            marked += b","
        return marked + text[len(bare) :]

    return _ODD_QUOTES.sub(break_line, chunk)


def _scan(path: Path, bounds: Bounds, place: Mapping[str, Any]) -> tuple[bool, int]:
    """Whether all bytes are UTF-8, and how many of them are quotes."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    valid, count = True, 0
    with open_bounded(path, bounds, place) as raw:
        head = True
        while chunk := raw.read(CHUNK):
            if head and chunk[:2] in (b"\xff\xfe", b"\xfe\xff"):
                raise SourceError("the text is UTF-16.", fix="save it as UTF-8", **place)
            head = False
            count += chunk.count(b'"')
            valid = valid and _decodes(decoder, chunk)
    return valid and _decodes(decoder, b"", final=True), count


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def unreadable(error: BaseException, place: Mapping[str, Any]) -> SourceError:
    """The error for a file that could not be read to its end."""
    if isinstance(error, SourceError):
        return error
    if "straddling" in str(error):
        return SourceError(_ENDLESS, fix=_MEND, **place)
    return SourceError(
        f"the file cannot be read: {str(error).splitlines()[0] if str(error) else type(error).__name__}.",
        fix=_MEND,
        **place,
    )
