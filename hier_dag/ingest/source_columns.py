"""The columns that a source has, and the errors where they are not those that domains.yaml names."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hier_dag.errors import SourceError
from hier_dag.ingest.row_sample import shown

Rows = Callable[[], Sequence[Mapping[str, Any]]]
_SHOWN = 200  # characters of a column's name that a message repeats


def check_columns(
    there: Sequence[str], wanted: Sequence[str], extra: str, place: Mapping[str, Any], rows: Rows
) -> None:
    """Checks that every mapped column is there, and that no other is where the source refuses them.

    Args:
        there: columns of the source.
        wanted: columns that its declaration names.
        extra: allow or refuse.
        place: domain and file, for errors.
        rows: gives the first rows of the source, source column to value; called where there is an error.

    Raises:
        SourceError: naming the column, what there is, the nearest name and a few rows.
    """
    for column in wanted:
        if column not in there:
            raise lacking(column, there, place, rows())
    if extra == "refuse" and (others := [c for c in there if c not in wanted]):
        raise unexpected(others, place, rows())


def lacking(
    column: str, there: Sequence[str], place: Mapping[str, Any], rows: Sequence[Mapping[str, Any]] = ()
) -> SourceError:
    """The error for a declared column that the source does not have, with a close match if there is one."""
    known = [c[:_SHOWN] for c in there[:2_000]]
    close = difflib.get_close_matches(column, known, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return SourceError(
        f"there is no column {column!r}; there are: {_listed(known)}.{shown(rows)}",
        column=column,
        fix=f"{hint}correct `columns` in domains.yaml, or the file".strip(),
        detail={"columns": known[:200], "sample": [dict(r) for r in rows]},
        **place,
    )


def unexpected(
    others: Sequence[str], place: Mapping[str, Any], rows: Sequence[Mapping[str, Any]] = ()
) -> SourceError:
    """The error for columns that no key of the declaration names, where the source refuses such."""
    names = [c[:_SHOWN] for c in others[:200]]
    return SourceError(
        f"there are columns that the declaration does not name: {_listed(names)}.{shown(rows)}",
        column=names[0],
        fix="map them, have them left out of the export, or set `extra_columns: allow`",
        detail={"columns": names, "sample": [dict(r) for r in rows]},
        **place,
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(c) for c in names[:30]) or "none"
