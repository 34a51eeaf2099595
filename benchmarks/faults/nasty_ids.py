"""Nasty ids at size: exact round trip or a reason for every row, and the peak of memory over the input.

    python benchmarks/faults/nasty_ids.py [--json] [--small]

Each format is written with the same rows: long ids, NFC and NFD pairs, leading zeros, integers beyond 2^53,
emoji, right-to-left text, SQL, and one row in a hundred that must be refused. Ingest runs in a process of its
own; the peak is its resident memory beyond that of a run on one row, compared with the bytes on disk and with
those of the text in them (a compressed file holds more). `--small` writes a tenth.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import itertools
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

BLOCK = 20_000
LONGEST = 3_211
FORMATS = ("log.parquet", "log.csv", "log.csv.gz", "log.jsonl", "log.jsonl.gz", "log.sqlite")
SHAPES = (
    "{n}", "000{n}", "caf\u00e9{n}", "cafe\u0301{n}", "\U0001f468\u200d\U0001f469\u200d\U0001f467{n}",
    "\u05d0\u0628{n}", "'; drop table log; -- {n}", "a\u200b{n}", " {n} ", "{n}" + "x" * 100,
)  # fmt: skip
REFUSED = (("a\x1f{n}", "bad_encoding"), ("caf\ufffd{n}", "bad_encoding"), ("", "null_user"),
           ("{n}" + "y" * LONGEST, "long_user"))  # fmt: skip
_MEASURED = """
import json, re, sys
from pathlib import Path
from datetime import UTC, datetime
from hier_dag.config.models import PlatformConfig
from hier_dag.ingest.connection import connect
from hier_dag.ingest.events import ingest_domain
from hier_dag.ingest.fingerprint import fingerprint
config = PlatformConfig.model_validate_json(Path(sys.argv[1]).read_text())
out = Path(sys.argv[2])
out.mkdir(parents=True)
inputs = fingerprint(config, config.domains["shop"].sources, "shop")
with connect(out.parent / "scratch", threads=1) as con:
    ledger = ingest_domain(config, "shop", inputs, out, con=con, as_of=datetime(2026, 1, 1, tzinfo=UTC))
# Not ru_maxrss, which a process takes over from the one that started it.
peak = 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps({"peak": peak, **ledger.as_json()["totals"]}))
"""


def users(n: int) -> Iterator[tuple[list[str], list[str | None]]]:
    """Blocks of user ids and the reason that each must be refused for, None for the good ones."""
    for start in range(0, n, BLOCK):
        ids: list[str] = []
        reasons: list[str | None] = []
        for k in range(start, min(start + BLOCK, n)):
            shape, reason = (
                REFUSED[k // 100 % len(REFUSED)] if k % 100 == 99 else (SHAPES[k % len(SHAPES)], None)
            )
            # A digest behind the number keeps files from shrinking to nothing when they are compressed.
            ids.append(shape.format(n=f"{2**53 + k}{hashlib.sha256(str(k).encode()).hexdigest()}"))
            reasons.append(reason)
        yield ids, reasons


def write(path: Path, n: int) -> None:
    """Writes n rows in the format that the suffix names; item ids repeat every thousand rows."""
    if path.suffix == ".parquet":
        schema = pa.schema([("user_id", pa.string()), ("item_id", pa.string())])
        with pq.ParquetWriter(path, schema) as writer:
            for ids, _ in users(n):
                writer.write_batch(pa.record_batch([ids, _items(len(ids))], schema=schema))
    elif path.suffix == ".sqlite":
        db = sqlite3.connect(path)
        db.execute("create table log (user_id text, item_id text)")
        for ids, _ in users(n):
            db.executemany("insert into log values (?, ?)", zip(ids, _items(len(ids)), strict=True))
        db.commit()
        db.close()
    elif path.suffix == ".gz":
        with gzip.open(path, "wt", encoding="utf-8", newline="", compresslevel=1) as file:
            _write_text(file, path, n)
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            _write_text(file, path, n)


def _write_text(file: TextIO, path: Path, n: int) -> None:
    rows = csv.writer(file)
    if ".csv" in path.name:
        rows.writerow(["user_id", "item_id"])
    for ids, _ in users(n):
        items = _items(len(ids))
        if ".csv" in path.name:
            rows.writerows(zip(ids, items, strict=True))
        else:
            file.writelines(
                json.dumps({"user_id": u, "item_id": i}) + "\n" for u, i in zip(ids, items, strict=True)
            )


def _items(n: int) -> list[str]:
    return [f"item\u00e9{k % 1000}" for k in range(n)]


def measured(folder: Path, name: str, n: int, run: str) -> dict[str, Any]:
    """Writes n rows and ingests them in a process of its own."""
    write(folder / name, n)
    sql = {"sql": f"sqlite:///{name}", "table": "log"}
    source = sql if name.endswith("sqlite") else {"path": name}
    catalogue = {"role": "target", "audience": "platform", "catalogue": {"path": name}}
    config = {
        "platform": "nasty", "data": str(folder),
        "domains": {"shop": {"role": "source", "sources": [source]}, "other": catalogue},
        "stages": {"ingest": {"max_id_length": LONGEST, "max_quarantined": 1.0}},
    }  # fmt: skip
    if name.endswith("sqlite"):
        config["domains"]["other"]["catalogue"] = {**sql}  # type: ignore[index]
    (folder / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-c", _MEASURED, str(folder / "config.json"), str(folder / run / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return dict(json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{"))))


def differences(out: Path, n: int, *, ordered: bool) -> int:
    """Rows whose id came through changed, or that were not refused for the reason they must be.

    Rows of a SQL table are numbered in the order of their values, those of a file in its own.
    """
    kept, refused = _column(out / "events", "user_id"), _column(out / "quarantine", "reason")
    good = (i for ids, reasons in users(n) for i, r in zip(ids, reasons, strict=True) if r is None)
    bad = (r for _, reasons in users(n) for r in reasons if r is not None)
    if not ordered:
        kept, refused, good, bad = (iter(sorted(values)) for values in (kept, refused, good, bad))
    return _unequal(kept, good) + _unequal(refused, bad)


def _unequal(got: Iterator[str], wanted: Iterator[str]) -> int:
    return sum(a != b for a, b in itertools.zip_longest(got, wanted))


def _column(folder: Path, name: str) -> Iterator[str]:
    """One column of a folder's only file, in row order."""
    for path in folder.glob("*.parquet"):
        for batch in pq.ParquetFile(path).iter_batches(columns=[name]):
            yield from batch.column(0).to_pylist()


def main() -> None:
    """Measures every format and prints the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--small", action="store_true")
    given = arguments.parse_args()
    n = 400_000 if given.small else 4_000_000
    rows = []
    for name in FORMATS:
        with tempfile.TemporaryDirectory() as text:
            folder = Path(text)
            base = measured(folder, name, 1, "tiny")["peak"]
            (folder / name).unlink()
            whole = measured(folder, name, n, "whole")
            size = (folder / name).stat().st_size
            text_bytes = sum(len(i.encode()) + 10 for ids, _ in users(n) for i in ids)
            rows.append(
                {
                    "format": name,
                    "rows": n,
                    "input MB": round(size / 1e6),
                    "text MB": round(text_bytes / 1e6),
                    "refused": sum(whole["quarantined"].values()),
                    "wrong rows": differences(
                        folder / "whole" / "out", n, ordered=not name.endswith("sqlite")
                    ),
                    "peak MB beyond one row": round((whole["peak"] - base) / 1e6),
                    "peak / input": round((whole["peak"] - base) / size, 2),
                    "peak / text": round((whole["peak"] - base) / text_bytes, 2),
                }
            )
        if not given.json:
            if len(rows) == 1:
                print(" | ".join(rows[0]))
            print(" | ".join(str(v) for v in rows[-1].values()), flush=True)
    if given.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
