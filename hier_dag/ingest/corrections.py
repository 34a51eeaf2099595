"""Values that people gave for quarantined rows: recorded as an artifact and read in place of the file's.

A correction names a raw file by its place and digest, a row by its number and the values that it had: it
never applies to another delivery of the file, to another table of a database, or to a row that a new mapping
put in its place. The raw file stays as it is; the ledger counts corrected rows, and they pass the same rules
as every other row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from hier_dag.engine_functions import json_extract_string
from hier_dag.ingest.canonical import raw_text
from hier_dag.ingest.json_keys import pointer
from hier_dag.ingest.meaning import Meaning

FILE = "corrections.parquet"
_KEY = ("location", "sha256", "row", "before")
_GIVEN, _FIXES = "given_corrections", "fitting_corrections"
SCHEMA = pa.schema(
    [
        pa.field("sha256", pa.string(), nullable=False),
        pa.field("location", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("before", pa.string(), nullable=False),
        pa.field("values", pa.string(), nullable=False),
    ]
)
DESCRIPTIONS = {
    "sha256": "digest of the raw file that the row lies in",
    "location": "the raw file",
    "row": "row of the raw file, from 1",
    "before": "what the row held, as the quarantine has it",
    "values": "JSON object: source column to the value that is read instead, as text or null",
}


@dataclass(frozen=True)
class Corrections:
    """Corrections of one domain.

    Attributes:
        table: one row a correction, columns as `SCHEMA`; no raw row twice.
    """

    table: pa.Table

    @classmethod
    def none(cls) -> Corrections:
        """No corrections."""
        return cls(SCHEMA.empty_table())

    @classmethod
    def read(cls, folder: Path) -> Corrections:
        """Reads the corrections of an artifact's folder."""
        return cls(pq.read_table(folder / FILE).cast(SCHEMA))

    def write(self, folder: Path) -> None:
        """Writes them sorted: equal corrections give equal bytes."""
        ordered = self.table.sort_by(
            [(name, "ascending") for name in ("location", "sha256", "row", "before")]
        )
        pq.write_table(ordered, folder / FILE, compression="zstd")

    def of_file(self, location: str, sha256: str) -> pa.Table:
        """The corrections of one raw file, by row."""
        mine = pc.and_(pc.equal(self.table["location"], location), pc.equal(self.table["sha256"], sha256))
        return self.table.filter(mine).sort_by([("row", "ascending"), ("before", "ascending")])

    def digest(self, location: str, sha256: str) -> str:
        """SHA-256 over the corrections of one raw file; empty where it has none."""
        rows = self.of_file(location, sha256).select(["row", "before", "values"]).to_pylist()
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest() if rows else ""

    def merged(self, newer: Iterable[Mapping[str, object]]) -> Corrections:
        """These and newer ones; the newer of two for the same row stays."""
        records = {tuple(r[k] for k in _KEY): r for r in [*self.table.to_pylist(), *newer]}
        return Corrections(pa.Table.from_pylist([dict(r) for r in records.values()], schema=SCHEMA))


@dataclass(frozen=True)
class Parts:
    """The rows of a raw table in parts that are judged apart.

    Attributes:
        tables: rows left alone and, where there are any, corrected ones, each with what its values mean.
        corrected: how many rows are read with corrected values.
    """

    tables: list[tuple[ir.Table, Meaning]]
    corrected: int


def split_corrected(con: Backend, raw: ir.Table, meaning: Meaning, corrections: pa.Table) -> Parts:
    """Puts corrected values in the place of those rows that still hold what was corrected.

    Args:
        con: the engine.
        raw: as `read_raw` gives it.
        meaning: what its values mean.
        corrections: the file's corrections, columns as `SCHEMA`.
    """
    if corrections.num_rows == 0:
        return Parts([(raw, meaning)], 0)
    given = con.create_table(
        _GIVEN, corrections.select(["row", "before", "values"]), temp=True, overwrite=True
    )
    there = raw.semi_join(given, "row")
    there = there.select("row", before=raw_text(there, meaning.mapping))
    fitting = given.semi_join(there, ["row", "before"]).select("row", "values")
    fixes = con.create_table(_FIXES, fitting, temp=True, overwrite=True)
    values = {name: json_extract_string(fixes["values"], pointer(c)) for name, c in meaning.mapping.items()}
    mended = fixes.select(**values, row=fixes.row, malformed=ibis.null("string"))
    kind = raw.event_time.type() if "event_time" in meaning.mapping else None
    typed = kind is not None and (kind.is_timestamp() or kind.is_date())
    # A timestamp type is shown and corrected as ISO text, whatever unit is declared.
    written = replace(meaning, time_unit="iso") if typed else meaning
    left = raw.anti_join(fixes, "row")
    # Selected anew: Ibis cannot join what a join has left once more.
    left = left.select(*left.columns)
    return Parts([(left, meaning), (mended, written)], int(con.to_pyarrow(fixes.count()).as_py()))
