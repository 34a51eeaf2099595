"""Dirty logs (fault row 8): every bad row caught for its reason, no sound row lost, and what that costs.

    python benchmarks/faults/dirty_logs.py [--json] [--small]

Writes ten million rows, half Parquet and half CSV, of which 10 % are bad in ten ways (`dirty_rows.py`), and
two more files that are bad as a whole; ingests them through the library and compares every row with the
truth. Cost: seconds of the same ingest with the rules and without, in turn, the least of two, on the whole
logs and on their sound rows; rules are left out by giving every row the verdict "valid", so that all of them
read, convert, deduplicate and write. `--cost` leaves out the comparison.
`--small` takes 200,000 rows.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from dirty_rows import BEHAVIORS, BURST, CLASSES, as_table, make_rows, names_for, truth_of, write_raw

from hier_dag.config.models import PlatformConfig
from hier_dag.config.row_rules import Patterns
from hier_dag.errors import SourceError
from hier_dag.ingest import canonical
from hier_dag.ingest.connection import connect
from hier_dag.ingest.events import ingest_domain
from hier_dag.ingest.fingerprint import fingerprint
from hier_dag.ingest.ledger import Ledger
from schemas.audits import audit_events

NOW = datetime(2026, 7, 1, tzinfo=UTC)
FILES = 8
COLUMNS = {"user_id": "uid", "item_id": "iid", "behavior": "action", "weight": "qty", "event_time": "at"}
_COMPARED = ("file", "row", "user_id", "item_id", "behavior", "weight", "event_time")


def declaration(folder: Path, *paths: str, **source: Any) -> PlatformConfig:
    """A platform of one domain that declares every rule, and a target that only has a catalogue."""
    rules = {
        "patterns": {"user_id": r"^u\d+$", "item_id": r"^i\d+$"},
        "weight_range": {"min": 0.5, "max": 100},
    }
    shop = {
        "role": "source",
        "sources": [{"path": path, "columns": COLUMNS, **rules, **source} for path in paths],
        "behaviors": BEHAVIORS,
        "max_events_per_user_day": BURST,
        "max_quarantined": 1.0,
    }
    other = {"role": "target", "audience": "platform", "catalogue": {"path": "catalogue.csv"}}
    return PlatformConfig.model_validate(
        {"platform": "dirty", "data": str(folder), "domains": {"shop": shop, "other": other}}
    )


def write_logs(folder: Path, total: int, seed: int = 0) -> Path:
    """Writes `logs/`, the truth about each row beside it, and returns the folder of the truth."""
    names, per_file, truth = names_for(total), total // FILES, folder / "truth"
    for place in (folder / "logs", folder / "clean", truth):
        place.mkdir(parents=True)
    rows = None
    for index in range(FILES):
        text = index >= FILES // 2
        rows = make_rows(index, total, per_file, names, text, rows, seed)
        name = f"{index}.{'csv' if text else 'parquet'}"
        table = as_table(rows, names, text)
        write_raw(table, folder / "logs" / name)
        write_raw(table.filter(pa.array(rows.kind == 0)), folder / "clean" / name)
        pq.write_table(truth_of(rows, names, index), truth / f"{index}.parquet")
    head = table.slice(0, per_file // 12)  # 1 % of all rows
    write_raw(head.drop_columns(["action"]), folder / "missing.csv")
    write_raw(head, folder / "plain.csv")
    write_raw(head.append_column("note", pa.nulls(head.num_rows, pa.string())), folder / "extra.csv")
    return truth


def ingest(config: PlatformConfig, out: Path, *, audit: bool = True) -> tuple[Ledger, float, float]:
    """Ingests the domain; its ledger, CPU and wall seconds."""
    out.mkdir(parents=True)
    cpu, wall = time.process_time(), time.perf_counter()
    with connect(out.parent / "scratch") as con:
        inputs = fingerprint(config, config.domains["shop"].sources, "shop")
        ledger = ingest_domain(config, "shop", inputs, out, con=con, as_of=NOW)
        if audit:
            assert audit_events(con, sorted((out / "events").glob("*.parquet"))) == []
    return ledger, time.process_time() - cpu, time.perf_counter() - wall


def compare(out: Path, truth: Path, ledger: Ledger) -> dict[str, Any]:
    """Every row against the truth.

    Returns:
        `classes`: rows, recall, precision a class; `clean`: sound rows, how many were lost or changed, and
        how many events are no sound row; `conserved`: whether rows in are what became of them, in every file.
    """
    with connect(out.parent / "scratch") as con:
        known = con.read_parquet([str(p) for p in sorted(truth.glob("*.parquet"))])
        events = con.read_parquet([str(p) for p in sorted((out / "events").glob("*.parquet"))])
        refused = con.read_parquet([str(p) for p in sorted((out / "quarantine").glob("*.parquet"))])
        gone = known.select("file", "row").anti_join(events, ["file", "row"])
        repeated = gone.anti_join(refused, ["file", "row"]).mutate(reason=ibis.literal("duplicate"))
        found = refused.select("file", "row", "reason", "column").union(
            repeated.mutate(column=ibis.null("string")).select("file", "row", "reason", "column")
        )
        found = con.create_table("found", found, temp=True)
        wanted = known.mutate(reason=known.reason.fill_null("duplicate")).filter(known["class"] != "clean")
        joined = wanted.left_join(found, ["file", "row", "reason"])
        hit = joined.row_right.notnull() & joined.column.identical_to(joined.column_right)
        caught = joined.mutate(hit=hit).group_by(["class", "reason"])
        rows = con.to_pyarrow(
            caught.aggregate(rows=lambda t: t.count(), hits=lambda t: t.hit.sum())
        ).to_pylist()
        said = dict(con.to_pyarrow(found.group_by("reason").aggregate(n=found.count())).to_pandas().values)
        clean = known.filter(known["class"] == "clean")
        return {
            "classes": {c: _figures(c, rows, said) for c in CLASSES},
            "clean": _clean(con, clean.select(*_COMPARED), events.select(*_COMPARED)),
            "conserved": all(_balanced(f) for f in ledger.files),
            "rows": {
                "in": ledger.rows_in,
                "out": ledger.rows_out,
                "quarantined": sum(ledger.quarantined.values()),
                "deduplicated": ledger.deduplicated,
            },
        }


def _figures(name: str, rows: list[dict[str, Any]], said: dict[str, int]) -> dict[str, Any]:
    """Recall of a class; precision of its reasons, over all rows that were given them."""
    mine = [r for r in rows if r["class"] == name]
    reasons = {r["reason"] for r in mine}
    right = sum(r["hits"] for r in rows if r["reason"] in reasons)
    total = sum(r["rows"] for r in mine)
    return {
        "rows": total,
        "reasons": sorted(reasons),
        "recall": sum(r["hits"] for r in mine) / total,
        "precision": right / max(1, sum(said.get(r, 0) for r in reasons)),
    }


def _clean(con: Any, clean: Any, events: Any) -> dict[str, int]:
    keys = list(_COMPARED)
    lost, made = clean.anti_join(events, keys), events.anti_join(clean, keys)
    return {name: int(con.to_pyarrow(t.count()).as_py()) for name, t in
            (("rows", clean), ("lost_or_changed", lost), ("made_up", made))}  # fmt: skip


def _balanced(entry: Any) -> bool:
    return bool(entry.rows_in == entry.rows_out + entry.rows_quarantined + entry.deduplicated)


def whole_files(folder: Path) -> dict[str, Any]:
    """What becomes of files that are bad as a whole."""
    found: dict[str, Any] = {}
    for name, source in (("missing", {}), ("extra", {"extra_columns": "refuse"})):
        try:
            ingest(declaration(folder, f"{name}.csv", **source), folder / f"out-{name}")
            found[name] = "accepted"
        except SourceError as e:
            found[name] = str(e)
    totals = [
        ingest(declaration(folder, f"{name}.csv"), folder / f"out-{name}-allowed")[0].as_json()["totals"]
        for name in ("plain", "extra")
    ]
    found["extra_changes_nothing_where_allowed"] = totals[0] == totals[1]
    return found


@contextmanager
def without_rules() -> Iterator[None]:
    """Every row is valid: what ingest costs when nothing is asked of the values."""
    kept = canonical.verdict
    nothing = ibis.null("string")
    verdict = {"reason": nothing, "column": nothing, "reasons": ibis.null("array<string>")}
    canonical.verdict = lambda rules: verdict  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        canonical.verdict = kept  # type: ignore[misc]


def cost(folder: Path, logs: str, repeats: int) -> dict[str, dict[str, float]]:
    """CPU and wall seconds of ingest by what is asked of the rows, and their excess over asking nothing."""
    declared = declaration(folder, f"{logs}/*.parquet", f"{logs}/*.csv")
    plain = without_declared_rules(declared)
    taken: dict[str, list[tuple[float, float]]] = {}
    for _ in range(repeats):
        for name, config, rules, audit in (
            ("nothing", plain, False, False),
            ("default rules", plain, True, False),
            ("declared rules too", declared, True, False),
            ("and the row contract", declared, True, True),
        ):
            with nullcontext() if rules else without_rules():
                _, cpu, wall = ingest(config, folder / "timed", audit=audit)
            taken.setdefault(name, []).append((cpu, wall))
            shutil.rmtree(folder / "timed")
    best = {name: [min(t[i] for t in v) for i in (0, 1)] for name, v in taken.items()}
    base = best["nothing"]
    return {
        name: {"cpu": cpu, "wall": wall, "cpu_excess": cpu / base[0] - 1, "wall_excess": wall / base[1] - 1}
        for name, (cpu, wall) in best.items()
    }


def without_declared_rules(config: PlatformConfig) -> PlatformConfig:
    """The platform without patterns, range of weights and bursts."""
    shop = config.domains["shop"]
    sources = tuple(s.model_copy(update={"patterns": Patterns(), "weight_range": None}) for s in shop.sources)
    bare = shop.model_copy(update={"max_events_per_user_day": None, "sources": sources})
    return config.model_copy(update={"domains": {**config.domains, "shop": bare}})


def measure(folder: Path, total: int, repeats: int, *, rows: bool = True) -> dict[str, Any]:
    """The whole experiment in an empty folder: of every row where `rows`, and of its cost."""
    truth = write_logs(folder, total)
    found = _rows(folder, truth) if rows else {}
    if repeats:
        found["cost"] = {logs: cost(folder, logs, repeats) for logs in ("clean", "logs")}
    return found


def _rows(folder: Path, truth: Path) -> dict[str, Any]:
    ledger, _, _ = ingest(declaration(folder, "logs/*.parquet", "logs/*.csv"), folder / "out")
    return compare(folder / "out", truth, ledger) | {"files": whole_files(folder)}


def show(found: dict[str, Any]) -> None:
    """Prints the table."""
    print("| class | rows | reasons | recall | precision |\n|---|---|---|---|---|")
    for name, f in found["classes"].items():
        reasons, shares = ", ".join(f["reasons"]), f"{f['recall']:.6f} | {f['precision']:.6f}"
        print(f"| {name} | {f['rows']:,} | {reasons} | {shares} |")
    for name in ("missing", "extra"):
        print(f"| {name} column (a file) | | {found['files'][name][:90]}… | | |")
    print()
    print(json.dumps({k: found[k] for k in ("rows", "conserved", "clean", "cost") if k in found}, indent=1))


def main() -> None:
    """Runs the experiment and prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--small", action="store_true", help="200,000 rows instead of ten million")
    parser.add_argument("--cost", action="store_true", help="its cost alone, as JSON")
    given = parser.parse_args()
    total = 200_000 if given.small else 10_000_000
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder) / "dirty", total, 2, rows=not given.cost)
    print(json.dumps(found, indent=1)) if given.json or given.cost else show(found)


if __name__ == "__main__":
    main()
