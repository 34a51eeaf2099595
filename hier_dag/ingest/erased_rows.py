"""Rows of erased users among raw ones: found by the tokens of distinct ids, left out by the ids themselves.

A valid row is its user's. A refused one is kept as text, so that it is left out too where any part of that
text is an erased id: in a broken line nobody can say which column it stands in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from hier_dag.erasure.erased import Erased
from hier_dag.erasure.recognise import found, naming, parts_of

_IDS, _NAMED = "erased_ids", "rows_that_name"


@dataclass(frozen=True)
class ErasedRows:
    """Finds rows of erased users of one raw input.

    Attributes:
        con: the engine.
        erased: who was erased.
        ids: table of the ids among them that the input has; None where it has none.
        columns: that hold users.
    """

    con: Backend
    erased: Erased
    ids: ir.Table | None
    columns: Sequence[str]

    @classmethod
    def among(cls, con: Backend, judged: ir.Table, columns: Sequence[str], erased: Erased) -> ErasedRows:
        """Looks the users of an input up.

        Args:
            con: the engine.
            judged: its rows.
            columns: that hold users.
            erased: who was erased.
        """
        ids = found(con, [judged[c] for c in columns], erased) if columns else pa.array([], pa.string())
        table = con.create_table(_IDS, pa.table({"id": ids}), temp=True, overwrite=True) if len(ids) else None
        return cls(con, erased, table, columns)

    def of(self, rows: ir.Table) -> ir.BooleanValue:
        """Whether each row is of an erased user."""
        if self.ids is None:
            return ibis.literal(False)
        ids = self.ids["id"]
        return reduce(or_, (rows[c].isin(ids).fill_null(False) for c in self.columns))

    def leave_out(self, refused: ir.Table) -> tuple[ir.Table, int]:
        """Refused rows without those whose text names an erased user, and how many these are.

        Args:
            refused: with columns row and raw.
        """
        ids = pa.table({"id": naming(self.con, refused, ["raw"], self.erased)})
        if not ids.num_rows:
            return refused, 0  # as it is: another query of the same rows writes other bytes
        parts = refused.select("row", id=parts_of(refused.raw).unnest())
        named = parts.semi_join(ibis.memtable(ids), "id").select("row").distinct()
        named = self.con.create_table(_NAMED, named, temp=True, overwrite=True)
        return refused.anti_join(named, "row"), int(self.con.to_pyarrow(named.count()).as_py())

    def drop(self) -> None:
        """Gives the tables in the engine back."""
        for name in (_IDS, _NAMED):
            self.con.drop_table(name, force=True)
