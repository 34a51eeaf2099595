"""Recorded corrections without those that name erased users."""

from __future__ import annotations

import pyarrow as pa
from ibis.backends.duckdb import Backend

from hier_dag.erasure.erased import Erased
from hier_dag.erasure.recognise import naming, parts_of
from hier_dag.ingest.corrections import Corrections

_GIVEN, _IDS = "recorded_corrections", "ids_in_corrections"
_TEXT = ("before", "values")


def without_erased(con: Backend, corrections: Corrections, erased: Erased) -> Corrections:
    """Corrections whose row and values name no erased user.

    Args:
        con: the engine.
        corrections: recorded or given ones.
        erased: who was erased.
    """
    numbered = corrections.table.append_column(
        "number", pa.array(range(corrections.table.num_rows), pa.int64())
    )
    given = con.create_table(_GIVEN, numbered, temp=True, overwrite=True)
    ids = pa.table({"id": naming(con, given, _TEXT, erased)})
    if not ids.num_rows:
        return corrections
    known = con.create_table(_IDS, ids, temp=True, overwrite=True)
    for column in _TEXT:
        parts = given.select("number", id=parts_of(given[column]).unnest())
        given = given.anti_join(parts.semi_join(known, "id"), "number")
        given = given.select(*given.columns)  # Ibis cannot join what a join has left once more
    kept = con.to_pyarrow(given.select(*corrections.table.column_names))
    return Corrections(kept.cast(corrections.table.schema))
