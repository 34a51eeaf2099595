"""Small platforms written to a folder, and their ingest."""

from __future__ import annotations

import gzip
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from hier_dag.config.models import PlatformConfig
from hier_dag.ingest.connection import connect
from hier_dag.ingest.events import PreviousEvents, ingest_domain
from hier_dag.ingest.fingerprint import fingerprint
from hier_dag.ingest.ledger import Ledger

NOW = datetime(2024, 6, 1, tzinfo=UTC)


def platform(
    folder: Path, sources: Any, *, ingest: dict[str, Any] | None = None, **domain: Any
) -> PlatformConfig:
    """A platform whose domain `shop` has these sources, beside a target that has only a catalogue."""
    other = {"role": "target", "audience": "platform", "catalogue": {"path": "catalogue.csv"}}
    return PlatformConfig.model_validate(
        {
            "platform": "test",
            "data": str(folder),
            "domains": {"shop": {"role": "source", "sources": sources, **domain}, "other": other},
            "stages": {"ingest": {"max_quarantined": 1.0, **(ingest or {})}},
        }
    )


def ingest(
    config: PlatformConfig, out: Path, *, previous: Path | None = None, now: datetime = NOW, threads: int = 1
) -> Ledger:
    out.mkdir(parents=True)
    inputs = fingerprint(config, config.domains["shop"].sources, "shop")
    before = None if previous is None else PreviousEvents.read(previous)
    with connect(out.parent / "scratch", threads=threads) as con:
        return ingest_domain(config, "shop", inputs, out, con=con, as_of=now, previous=before)


def rows(folder: Path) -> list[dict[str, Any]]:
    """All rows of the Parquet files of a folder, in file order."""
    return [r for p in sorted(folder.glob("*.parquet")) for r in pq.read_table(p).to_pylist()]


def refused(out: Path) -> list[tuple[int, str, str | None]]:
    """(row, reason, column) of every quarantined row."""
    return [(r["row"], r["reason"], r["column"]) for r in rows(out / "quarantine")]


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes of every file under a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def write(path: Path, records: list[dict[str, Any]]) -> None:
    """Writes records in the format that the suffixes name."""
    if path.suffix == ".sqlite":
        _write_sqlite(path, records)
    elif ".parquet" in path.name:
        pq.write_table(pa.Table.from_pylist(records), path)
    elif ".csv" in path.name:
        names = list(records[0])
        table = pa.table(
            {n: pa.array([None if r[n] is None else str(r[n]) for r in records], pa.string()) for n in names}
        )
        sink = pa.BufferOutputStream()
        pacsv.write_csv(table, sink)
        _write_bytes(path, sink.getvalue().to_pybytes())
    else:
        _write_bytes(path, "".join(json.dumps(r) + "\n" for r in records).encode())


def _write_bytes(path: Path, data: bytes) -> None:
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def _write_sqlite(path: Path, records: list[dict[str, Any]]) -> None:
    names = list(records[0])
    connection = sqlite3.connect(path)
    connection.execute(f"create table log ({', '.join(names)})")
    places = ", ".join("?" * len(names))
    connection.executemany(f"insert into log values ({places})", [tuple(r.values()) for r in records])
    connection.commit()
    connection.close()
