"""A few raw rows to show beside an error, so that its reader sees at once what the file holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ibis.expr.types as ir

ROWS = 5
_LENGTH = 200  # characters of a row


def first_rows(raw: ir.Table, mapping: Mapping[str, str]) -> list[dict[str, Any]]:
    """The first rows of a raw table, source column to value as text.

    Args:
        raw: as `read_raw` gives it.
        mapping: canonical name to source column.
    """
    rows = raw.select(*mapping).limit(ROWS).to_pyarrow().to_pylist()
    return [{mapping[k]: as_text(v) for k, v in r.items()} for r in rows]


def as_text(value: object) -> str | None:
    """A value as it is shown; null stays null."""
    return None if value is None else str(value)


def shown(sample: Sequence[Any]) -> str:
    """The rows as one sentence, empty where there are none."""
    if not sample:
        return ""
    rows = (f"row {n}: {_cut(str(row))}" for n, row in enumerate(sample, start=1))
    return f" For example {'; '.join(rows)}."


def _cut(text: str) -> str:
    return text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…"
