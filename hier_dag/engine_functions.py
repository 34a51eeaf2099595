"""Functions of DuckDB that Ibis has no name for, declared once for all who ask the engine.

A declaration has no body: Ibis reads its signature and writes the call.
"""

# mypy: disable-error-code="empty-body, untyped-decorator, valid-type"

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt

UTC_MICROS = dt.Timestamp(timezone="UTC", scale=6)


@ibis.udf.scalar.builtin
def epoch_us(moment: UTC_MICROS) -> int:
    """Microseconds since 1970, UTC."""


@ibis.udf.scalar.builtin
def make_timestamp(micros: int) -> dt.Timestamp(scale=6):
    """The inverse of `epoch_us`, without a zone."""


@ibis.udf.scalar.builtin
def md5_number_lower(text: str) -> dt.uint64:
    """The last eight bytes of the MD5 of a text's UTF-8, little endian: the same in every version."""


@ibis.udf.scalar.builtin
def json_valid(line: str) -> bool:
    """Whether a text is JSON."""


@ibis.udf.scalar.builtin
def json_type(line: str, path: str) -> str:
    """Kind of the value at a JSON pointer; null where there is none."""


@ibis.udf.scalar.builtin
def json_keys(line: str) -> dt.Array(dt.string):
    """Keys of an object."""


@ibis.udf.scalar.builtin
def json_extract_string(line: str, path: str) -> str:
    """The value at a JSON pointer as text: numbers as written, strings unescaped."""


@ibis.udf.scalar.builtin
def nfc_normalize(text: str) -> str:
    """A text in Unicode's normal form C."""


@ibis.udf.scalar.builtin
def strlen(text: str) -> int:
    """Bytes of a text in UTF-8."""


@ibis.udf.scalar.builtin
def list_count(values: dt.Array(dt.float32)) -> int:
    """Elements of a list that are not null."""
