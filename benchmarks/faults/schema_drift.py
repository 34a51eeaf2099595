"""Schema drift (fault row 9): a column renamed or retyped, a value that is new, in one source of a platform.

    python benchmarks/faults/schema_drift.py [--json] [--small]

Changes the log of one domain of the sample platform at a time, in every format, and runs `hier run`. The
table says whether the run stopped before the graph and the encoder, whether the other domains were ingested,
and whether the message names the domain, the file, the column and a few rows. `renamed value` gives every
`view` another name; `one new value` changes a single row of a platform that declares
`max_quarantined_by_reason: {unknown_behavior: 0}`. `--small` takes three domains.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import yaml
from degenerate import prepare, run

from hier_dag.config import load_config
from hier_dag.config.models import PlatformConfig
from hier_dag.config.sources import EventSource

KINDS = ("renamed column", "retyped column", "renamed value", "one new value")
SMALL = ("food_delivery", "local_guide", "grocery")
NEW_VALUE = "viewed"
_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000}


def read_table(path: Path, table: str | None) -> pa.Table:
    """A raw log of any format; CSV as text."""
    if path.suffix == ".sqlite":
        with sqlite3.connect(path) as connection:
            cursor = connection.execute(f'SELECT * FROM "{table}"')
            names = [c[0] for c in cursor.description]
            return pa.table(
                {n: _column(list(c)) for n, c in zip(names, zip(*cursor, strict=True), strict=True)}
            )
    if path.suffix == ".parquet":
        return pq.read_table(path)
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if ".jsonl" in path.name:
        objects = [row for line in data.splitlines() if (row := _object(line)) is not None]
        keys = dict.fromkeys(key for row in objects for key in row)
        return pa.table({key: _column([row.get(key) for row in objects]) for key in keys})
    names = data.split(b"\n", 1)[0].decode().split(",")
    convert = pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
    return pacsv.read_csv(pa.BufferReader(data.decode("utf-8", "replace").encode()), convert_options=convert)


def _column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if v is None else str(v) for v in values])


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line.decode("utf-8", "replace"))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def write_table(rows: pa.Table, path: Path, table: str | None) -> None:
    """Writes a raw log in the format that its name says, over what is there."""
    if path.suffix == ".sqlite":
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute(f'CREATE TABLE "{table}" ({", ".join(rows.column_names)})')
            holes = ", ".join("?" * rows.num_columns)
            values = zip(*(c.to_pylist() for c in rows.columns), strict=True)
            connection.executemany(f'INSERT INTO "{table}" VALUES ({holes})', values)
        connection.close()
        return
    if path.suffix == ".parquet":
        pq.write_table(rows, path)
        return
    if ".jsonl" in path.name:
        data = "".join(json.dumps(row) + "\n" for row in rows.to_pylist()).encode()
    else:
        sink = pa.BufferOutputStream()
        pacsv.write_csv(rows, sink)
        data = sink.getvalue().to_pybytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def changed(rows: pa.Table, kind: str, source: EventSource) -> tuple[pa.Table, str]:
    """The log with the change, and the source column that the message must name."""
    if kind == "renamed column":
        column = source.columns.item_id
        names = [f"{n}_no" if n == column else n for n in rows.column_names]
        return rows.rename_columns(names), column
    if kind == "retyped column":
        column = str(source.columns.event_time)
        place = rows.column_names.index(column)
        return rows.set_column(place, column, _other_form(rows[column], source.time_unit)), column
    column = str(source.columns.behavior)
    values = rows[column].to_pylist()
    first = values.index("view")
    if kind == "one new value":
        values[first] = NEW_VALUE
    else:
        values = [NEW_VALUE if v == "view" else v for v in values]
    return rows.set_column(rows.column_names.index(column), column, pa.array(values, pa.string())), column


def _other_form(column: pa.ChunkedArray, unit: str) -> pa.Array:
    """Times as the source does not declare them: epoch seconds for ISO, ISO for an epoch count."""
    if pa.types.is_timestamp(column.type):
        return pc.divide(pc.cast(column, pa.timestamp("us", "UTC")).cast(pa.int64()), 1_000_000)
    if unit == "iso":
        return pa.array([None if v is None else f"{n + 1_767_225_600}" for n, v in enumerate(column)])
    days = [
        int(v) // _UNITS[unit] % 28 + 1 if v and v.isdigit() else 1 for v in map(_text, column.to_pylist())
    ]
    return pa.array([f"2026-01-{day:02}T00:00:00Z" for day in days])


def _text(value: object) -> str:
    return "" if value is None else str(value)


def place_of(config: PlatformConfig, domain: str) -> tuple[Path, EventSource]:
    """The file that is changed (the last, where there are several) and its declaration."""
    source = config.domains[domain].sources[0]
    if source.sql is not None:
        return config.data_dir() / source.sql.removeprefix("sqlite:///"), source
    return sorted(config.data_dir().glob(str(source.path)))[-1], source


def cases(config: PlatformConfig) -> list[tuple[str, str]]:
    """(domain, kind) of every trial that its columns allow."""
    found = []
    for name, domain in config.domains.items():
        for source in domain.sources:
            valued = source.columns.behavior is not None
            found += [(name, kind) for kind in KINDS if valued or not kind.endswith("value")]
    return found


def trial(file: Path, state: Path, domain: str, kind: str) -> dict[str, Any]:
    """Changes one log, runs the platform, puts the log back."""
    config = load_config(file)
    path, source = place_of(config, domain)
    whole, declared = path.read_bytes(), file.read_text(encoding="utf-8")
    rows, column = changed(read_table(path, source.table), kind, source)
    write_table(rows, path, source.table)
    if kind == "one new value":
        strict = yaml.safe_load(declared)
        strict["domains"][domain]["max_quarantined_by_reason"] = {"unknown_behavior": 0}
        file.write_text(yaml.safe_dump(strict), encoding="utf-8")
    try:
        steps = {s["step"]: s for s in run(file, state)["steps"]}
    finally:
        path.write_bytes(whole)
        file.write_text(declared, encoding="utf-8")
    return {
        "domain": domain,
        "format": path.name.partition(".")[2],
        "kind": kind,
        **judged(steps, domain, path, column),
    }


def judged(steps: dict[str, Any], domain: str, path: Path, column: str) -> dict[str, Any]:
    """What the run did and what its message names."""
    own = steps.pop(f"raw/events[{domain}]", {"outcome": "none"})
    message = str(own.get("message", ""))
    raw = {s: v["outcome"] for s, v in steps.items() if s.startswith("raw/")}
    below = {v["outcome"] for s, v in steps.items() if not s.startswith("raw/")}
    said = {"domain": f"domain {domain}", "file": path.name, "column": f"column {column}"}
    said |= {"fix": "Fix:", "rows": "For example row"}
    return {
        "stopped": own["outcome"] == "failed" and below == {"blocked"},
        "others_ingested": bool(raw) and set(raw.values()) <= {"made", "reused"},
        "names": [what for what, words in said.items() if words in message],
        "message": message,
    }


def main() -> None:
    """Runs every case and prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--small", action="store_true", help="three domains")
    given = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as name:
        file = prepare(Path(name), 600, 12_000)
        for domain, kind in cases(load_config(file)):
            if given.small and domain not in SMALL:
                continue
            found.append(trial(file, Path(name) / "state", domain, kind))
            if not given.json:
                show(found[-1], header=len(found) == 1)
    print(json.dumps(found, indent=1)) if given.json else None


def show(found: dict[str, Any], *, header: bool) -> None:
    """Prints a row of the table."""
    if header:
        print("| format | change | stopped before training | others ingested | message names |")
        print("|---|---|---|---|---|")
    yes = {True: "yes", False: "NO"}
    cells = [found["format"], found["kind"], yes[found["stopped"]], yes[found["others_ingested"]]]
    print(f"| {' | '.join(cells)} | {', '.join(found['names'])} |", flush=True)


if __name__ == "__main__":
    main()
