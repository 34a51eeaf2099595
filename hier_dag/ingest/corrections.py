"""Values that people gave for quarantined rows: recorded as an artifact and read in place of the file's.

A correction names a raw file by its digest and a row by its number, so that it never applies to another
delivery of the file. The raw file stays as it is; the ledger counts corrected rows, and they pass the same
rules as every other row.
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

from hier_dag.ingest.json_keys import pointer
from hier_dag.ingest.meaning import Meaning
from hier_dag.ingest.readers import json_extract_string

FILE = "corrections.parquet"
SCHEMA = pa.schema(
    [
        pa.field("sha256", pa.string(), nullable=False),
        pa.field("location", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("values", pa.string(), nullable=False),
    ]
)
DESCRIPTIONS = {
    "sha256": "digest of the raw file that the row lies in",
    "location": "the raw file",
    "row": "row of the raw file, from 1",
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
        ordered = self.table.sort_by([("sha256", "ascending"), ("row", "ascending")])
        pq.write_table(ordered, folder / FILE, compression="zstd")

    def of_file(self, sha256: str) -> pa.Table:
        """The corrections of one raw file."""
        return self.table.filter(pc.equal(self.table["sha256"], sha256))

    def digest(self, sha256: str) -> str:
        """SHA-256 over the corrections of one raw file; empty where it has none."""
        rows = self.of_file(sha256).sort_by("row").select(["row", "values"]).to_pylist()
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest() if rows else ""

    def merged(self, newer: Iterable[Mapping[str, object]]) -> Corrections:
        """These and newer ones; the newer of two for the same row stays."""
        records = {(r["sha256"], r["row"]): r for r in [*self.table.to_pylist(), *newer]}
        return Corrections(pa.Table.from_pylist([dict(r) for r in records.values()], schema=SCHEMA))


def split_corrected(
    con: Backend, raw: ir.Table, meaning: Meaning, corrected: pa.Table
) -> list[tuple[ir.Table, Meaning]]:
    """The rows of a raw table in parts that are judged apart: those left alone, those corrected.

    Args:
        con: the engine.
        raw: as `read_raw` gives it.
        meaning: what its values mean.
        corrected: the file's corrections, columns as `SCHEMA`.
    """
    if corrected.num_rows == 0:
        return [(raw, meaning)]
    fixes = con.create_table("corrections", corrected.select(["row", "values"]), temp=True, overwrite=True)
    values = {name: json_extract_string(fixes["values"], pointer(c)) for name, c in meaning.mapping.items()}
    mended = fixes.semi_join(raw, "row").select(**values, row=fixes.row, malformed=ibis.null("string"))
    kind = raw.event_time.type() if "event_time" in meaning.mapping else None
    typed = kind is not None and (kind.is_timestamp() or kind.is_date())
    # A timestamp type is shown and corrected as ISO text, whatever unit is declared.
    written = replace(meaning, time_unit="iso") if typed else meaning
    return [(raw.anti_join(fixes, "row"), meaning), (mended, written)]
