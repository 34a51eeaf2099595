"""The keys of JSON Lines: which there are, of what kind, and whether the mapped ones are among them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from hier_dag.engine_functions import json_keys, json_type, json_valid
from hier_dag.ingest.row_sample import ROWS, as_text
from hier_dag.ingest.source_columns import check_columns

LINES = 1_000  # lines whose keys are looked at
_LONGEST = 20_000  # characters of those lines; longer ones are left to the engine
_KINDS = {"bool": "boolean", "int": "integer", "float": "number", "str": "string", "list": "array"}


def pointer(key: str) -> str:
    """JSON pointer to a top-level key."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def check_keys(
    con: Backend, table: ir.Table, wanted: Sequence[str], extra: str, place: Mapping[str, Any]
) -> dict[str, str]:
    """Checks the keys of a file's objects against the declaration.

    Args:
        con: the engine.
        table: line, row, malformed.
        wanted: keys that the declaration names; each must be in some line.
        extra: allow, or refuse: then no line may have another key.
        place: domain and file, for errors.

    Returns:
        Key to kinds of its values (`integer`, `number|string`) in the first lines that are objects.

    Raises:
        SourceError: naming the key, what there is, the nearest name and a few lines.
    """
    objects = _first_objects(con, table)
    if not objects:
        return {}
    there: dict[str, set[str]] = {}
    for value in objects:
        for key, held in value.items():
            there.setdefault(key, set()).add(_kind(held))
    names = dict.fromkeys(there)
    line = ibis.ifelse(json_valid(table.line), table.line, "{}")
    if extra == "refuse":
        names.update(dict.fromkeys(_all_keys(con, table.select(line=line))))
    for column in wanted:
        if column not in names and con.execute(json_type(line, pointer(column)).notnull().any()):
            names[column] = None
    check_columns(list(names), wanted, extra, place, lambda: [_as_row(v) for v in objects[:ROWS]])
    return {key: "|".join(sorted(kinds - {"null"} or kinds)) for key, kinds in there.items()}


def _first_objects(con: Backend, table: ir.Table) -> list[dict[str, Any]]:
    short = table.malformed.isnull() & (table.line.length() <= _LONGEST)
    lines = con.to_pyarrow(table.filter(short).order_by("row").limit(LINES).line).to_pylist()
    return [value for line in lines if isinstance(value := _parsed(line), dict)]


def _all_keys(con: Backend, lines: ir.Table) -> list[str]:
    whole = lines.filter(json_type(lines.line, "") == "OBJECT")
    found: list[str] = con.to_pyarrow(
        whole.select(key=json_keys(whole.line).unnest()).distinct().order_by("key").key
    ).to_pylist()
    return found


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _kind(value: object) -> str:
    return "null" if value is None else _KINDS.get(type(value).__name__, "object")


def _as_row(value: Mapping[str, Any]) -> dict[str, str | None]:
    return {k: as_text(v) for k, v in value.items()}
