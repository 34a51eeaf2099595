"""Finds erased users in tables, inside the engine: by a column of ids, or in the text of a row.

Ids are hashed once each, however many rows they have: SHA-256 of five million ids takes a second of two
cores. The expressions are Ibis alone, so that Spark computes the same tokens (`sha2`).
"""

# mypy: disable-error-code="empty-body, untyped-decorator, valid-type"

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from hier_dag.engine_functions import json_valid
from hier_dag.erasure.erased import Erased
from hier_dag.erasure.secret import Secret

_TOKENS = "erased_tokens"
# What a broken line may hold between ids. Ids may hold a colon, and JSON has one before numbers: both ways.
_BETWEEN = (r"[\s,;|\"'{}\[\]]+", r"[\s,;|\"'{}\[\]:]+")


@ibis.udf.scalar.builtin(name="json_extract_string")
def _json_values(line: str, path: str) -> dt.Array(dt.string):
    """All values of an object as text."""


@ibis.udf.scalar.builtin
def regexp_split_to_array(text: str, between: str) -> dt.Array(dt.string):
    """The parts of a text."""


def token(ids: ir.Column, secret: Secret) -> ir.Column:
    """Tokens of a column of ids, as `Secret.token` makes them; null where there is no id."""
    return (ibis.literal(secret.text) + ids.cast("string")).hexdigest("sha256")


def found(con: Backend, ids: Sequence[ir.Column], erased: Erased) -> pa.ChunkedArray:
    """Those ids of some columns whose users were erased, each once, string."""
    columns = [c.cast("string").name("id").as_table().distinct() for c in ids]
    every = reduce(lambda a, b: a.union(b), columns).filter(lambda t: t.id.notnull()).distinct()
    known = con.create_table(
        _TOKENS, pa.table({"token": pa.array(erased.tokens, pa.string())}), temp=True, overwrite=True
    )
    every = every.mutate(token=token(every.id, erased.secret))
    return con.to_pyarrow(every.semi_join(known, "token").select("id"))["id"]


def parts_of(text: ir.Column) -> ir.ArrayColumn:
    """What in the text of a row may be an id: the values of an object, else all between separators."""
    split = [regexp_split_to_array(text, between) for between in _BETWEEN]
    values = ibis.ifelse(json_valid(text), _json_values(text, "$.*"), ibis.null(dt.Array(dt.string)))
    nothing = ibis.literal([], dt.Array(dt.string))
    return ibis.coalesce(values, nothing).concat(*split)


def naming(con: Backend, rows: ir.Table, text: Sequence[str], erased: Erased) -> pa.ChunkedArray:
    """Erased ids that the text of rows holds, each once.

    Args:
        con: the engine.
        rows: the rows.
        text: names of its columns of text.
        erased: who was erased.
    """
    parts = [parts_of(rows[c]).unnest().name("id") for c in text]
    return found(con, [rows.select(part)["id"] for part in parts], erased)
