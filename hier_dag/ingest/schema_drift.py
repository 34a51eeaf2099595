"""How the columns of a domain's files differ from those of its last accepted version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Schemas = Iterable[tuple[str, Mapping[str, str]]]


@dataclass(frozen=True)
class ColumnChange:
    """A column that came, went or changed its type.

    Attributes:
        column: source column.
        change: new, lost or retyped.
        before: its type in the last version, several joined by `|`; None where it is new.
        now: its type now; None where it is lost.
        file: the first file that has it so; for a lost one the first that lacks it.
    """

    column: str
    change: str
    before: str | None
    now: str | None
    file: str


def schema_changes(now: Schemas, last: Schemas) -> list[ColumnChange]:
    """Compares the columns of files with those of the last accepted version.

    A file that both have is compared with itself, so that a source of several shapes is no drift; any other
    with all files of the last version together: its type must be one that the column had in some of them, and
    it must have every column that all of them had.

    Args:
        now: location and columns (name to type) of each file; without columns for what is not known.
        last: the same of the last version.

    Returns:
        One change a column and kind, in the order of files and columns.
    """
    before = {file: columns for file, columns in last if columns}
    if not before:
        return []
    common = set.intersection(*(set(c) for c in before.values()))
    types: dict[str, set[str]] = {}
    for columns in before.values():
        for name, kind in columns.items():
            types.setdefault(name, set()).add(kind)
    found: dict[tuple[str, str], ColumnChange] = {}
    for file, columns in now:
        own = before.get(file)
        known = types if own is None else {name: {kind} for name, kind in own.items()}
        lost = [] if not columns else sorted((common if own is None else set(own)) - set(columns))
        for name, kind in columns.items():
            if name not in known:
                found.setdefault((name, "new"), ColumnChange(name, "new", None, kind, file))
            elif kind not in known[name]:
                old = "|".join(sorted(known[name]))
                found.setdefault((name, "retyped"), ColumnChange(name, "retyped", old, kind, file))
        for name in lost:
            old = "|".join(sorted(known[name]))
            found.setdefault((name, "lost"), ColumnChange(name, "lost", old, None, file))
    return list(found.values())
