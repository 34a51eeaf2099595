"""Somebody who can write to the registry's database changes it: is every change found?

    python -m benchmarks.faults.tampering [--trials 10000] [--postgres]

Each trial is a transaction that changes the tables at random, verifies, and is taken back. Edits, deletions,
insertions and reorderings hit any row and column of any table; `cut` takes the newest events and all that
follows from them away; `rewritten` changes what one event says and makes every later hash and row fit it.
The last two leave a registry without a fault in itself: anchors kept elsewhere show them.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Picture
from sqlalchemy import Column, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from benchmarks.faults.publishers import new_database, postgres
from hier_dag.environment import environment_digest
from hier_dag.registry import CheckRow, Move, Registry
from hier_dag.registry.anchors import Anchor
from hier_dag.registry.chain import event_of
from hier_dag.registry.guards import guard, unguard
from hier_dag.registry.projections import rows_of
from hier_dag.registry.tables import PROJECTIONS, DetailRecord, EventRecord, Moment
from hier_dag.registry.verdict import LogVerdict
from hier_dag.registry.verify import _verify, verify_log
from hier_dag.store import ArtifactStore, Manifest

TABLES: tuple[Table, ...] = tuple(t.__table__ for t in (EventRecord, DetailRecord, *PROJECTIONS))  # type: ignore[misc]
LOG = TABLES[0]


def filled(url: str, folder: Path, rounds: int = 8) -> Registry:
    """A registry with every kind of event on record, made by its public functions."""
    registry, store = Registry(url, platform="city"), ArtifactStore(folder / "store")
    for n in range(rounds):
        made = _artifact(store, n)
        checks = [CheckRow("contract", True, {"rows": n}), CheckRow("coverage", n % 3 > 0, {"share": n / 7})]
        registry.record(made, checks, run_id=f"run-{n // 2}", seconds=0.5 * n)
        registry.record_failure(
            "kg/graph", None, f"k{n}", [CheckRow("edges", False, {"n": n})], run_id="run-x"
        )
        registry.move_alias(Move("cafe", "live", made.digest, f"run-{n // 2}", "run", facts={"p50": n / 3}))
        registry.decide("cafe", "pin", made.digest, why=f"audit {n}")
    found = registry.details_naming("share")
    registry.redact(found[:1], why="it showed a row")
    return registry


def _artifact(store: ArtifactStore, n: int) -> Any:
    with store.stage("publish/embeddings") as staged:
        (staged / "f").write_text(str(n))
        manifest = Manifest(
            kind="publish/embeddings", partition="cafe", request_key=f"{n:064x}", code_version="1",
            params={"k": n}, parents={"model": f"{n:064x}"}, environment=environment_digest(),
            inputs=[{"location": f"cafe/{n}.csv", "sha256": f"{n:064x}", "bytes": n}],
        )  # fmt: skip
        return store.commit(staged, manifest)


@dataclass
class Attacker:
    """Changes the tables inside a transaction that is taken back."""

    s: Session
    draw: random.Random

    def row(self, table: Table) -> dict[str, Any] | None:
        """A row at random."""
        rows = self.s.execute(select(table)).mappings().all()
        return dict(self.draw.choice(rows)) if rows else None

    def table(self) -> tuple[Table, dict[str, Any]]:
        """A table at random that has rows, and one of them."""
        while True:
            table = self.draw.choice(TABLES)
            row = self.row(table)
            if row is not None:
                return table, row

    def edit(self) -> None:
        """Another value in one column of one row."""
        table, row = self.table()
        column = self.draw.choice(list(table.columns))
        self.s.execute(
            update(table).where(*_is(table, row)).values({column: self.other(row[column.name], column)})
        )

    def delete(self) -> None:
        """One row less."""
        table, row = self.table()
        self.s.execute(delete(table).where(*_is(table, row)))

    def insert(self) -> None:
        """One row more: a copy under another key, whose columns may be changed as well."""
        table, row = self.table()
        for c in table.primary_key.columns:
            row[c.name] = self.other(row[c.name], c)
        if table.name == "aliases":
            row["version"] = 10_000
        self.s.execute(insert(table).values(row))

    def reorder(self) -> None:
        """Two rows change places: each takes what the other said, under its own key."""
        while True:
            table, one = self.table()
            other = self.row(table)
            keys = {c.name for c in table.primary_key.columns}
            if other is None or one == other:
                continue
            said = [{k: v for k, v in r.items() if k not in keys} for r in (one, other)]
            if said[0] != said[1]:
                break
        if table.name == "aliases":  # no two may have one version, not even for a moment
            self.s.execute(update(table).where(*_is(table, one)).values(version=-1))
        self.s.execute(update(table).where(*_is(table, other)).values(said[0] | _free(table)))
        self.s.execute(update(table).where(*_is(table, one)).values(said[1]))
        self.s.execute(update(table).where(*_is(table, other)).values(said[0]))

    def cut(self) -> None:
        """The newest events are gone, with all that follows from them."""
        last = self.s.execute(select(LOG.c.seq).order_by(LOG.c.seq.desc()).limit(1)).scalar_one()
        keep = last - self.draw.randint(1, 20)
        details = TABLES[1]
        checks = next(t for t in TABLES if t.name == "checks")
        gone = select(checks.c.facts).where(checks.c.event > keep)
        self.s.execute(delete(details).where(details.c.digest.in_(gone)))
        for table in TABLES:
            if "event" in table.c:
                self.s.execute(delete(table).where(table.c.event > keep))
        self.s.execute(delete(LOG).where(LOG.c.seq > keep))

    def rewritten(self) -> None:
        """One event says something else, and every later hash and every row fits it."""
        entries = self.s.execute(select(LOG.c.entry).order_by(LOG.c.seq)).scalars().all()
        changed = self.draw.randrange(len(entries))
        prev = "0" * 64
        for n, entry in enumerate(entries):
            event = event_of(entry)
            if n == changed:
                event = replace(event, who=f"{event.who}x")
            event = replace(event, prev=prev)
            prev = event.hash
            at = datetime.fromisoformat(event.at)
            self.s.execute(
                update(LOG).where(LOG.c.seq == event.seq).values(
                    hash=prev, entry=event.entry, who=event.who, at=at
                )
            )  # fmt: skip
        for table in TABLES:
            if "event" in table.c:
                self.s.execute(delete(table))
        for entry in self.s.execute(select(LOG.c.entry).order_by(LOG.c.seq)).scalars().all():
            self.s.add_all(rows_of(event_of(entry)))
        self.s.flush()

    def other(self, value: Any, column: Column[Any]) -> Any:
        """Another value of the column's type."""
        if value is None and column.type is Moment:
            return datetime(2030, 1, 1, tzinfo=UTC)
        if value is None or isinstance(value, str):
            text = value or ""
            at = self.draw.randrange(len(text) + 1)
            return text[:at] + self.draw.choice("abcdefx0129") + text[at:]
        if isinstance(value, bool):
            return not value
        if isinstance(value, datetime):
            return value.replace(microsecond=(value.microsecond + 1) % 1_000_000)
        return value + self.draw.choice([1_000, 100_000])


def _is(table: Table, row: dict[str, Any]) -> list[Any]:
    return [c == row[c.name] for c in table.primary_key.columns]


def _free(table: Table) -> dict[str, Any]:
    return {"version": -2} if table.name == "aliases" else {}


OWN: dict[str, Callable[[Attacker], None]] = {
    "edit": Attacker.edit, "deletion": Attacker.delete,
    "insertion": Attacker.insert, "reordering": Attacker.reorder,
}  # fmt: skip
FITTING: dict[str, Callable[[Attacker], None]] = {"cut": Attacker.cut, "rewritten": Attacker.rewritten}


def trials(registry: Registry, count: int, seed: int = 0) -> tuple[Counter[str], Counter[str], list[str]]:
    """Tampers so many times.

    Returns:
        How often each was tried, how often found, and what was not found.
    """
    head = registry.head()
    anchors = [Anchor(head.seq, head.hash, "", "the anchor")]
    draw, tried, found, missed = random.Random(seed), Counter[str](), Counter[str](), list[str]()
    with Session(registry._engine) as session, session.begin():
        unguard(session.connection())
    names = [*OWN] * 9 + [*FITTING] * 2
    for n in range(count):
        name = draw.choice(names)
        verdict = None
        while verdict is None:  # a change that the tables' own keys refuse is drawn again
            verdict = _tampered(registry, {**OWN, **FITTING}[name], draw, anchors)
        # Found without any anchor, too; the guards are gone for all of them, so that tells nothing.
        useless = {"anchor", "table"} if name in OWN else {"table"}
        verdict.problems = [p for p in verdict.problems if p.what not in useless]
        tried[name] += 1
        found[name] += bool(verdict.problems)
        if not verdict.problems:
            missed.append(f"trial {n}: {name}")
    with Session(registry._engine) as session, session.begin():
        guard(session.connection())
    assert not verify_log(registry, anchors=anchors).problems
    return tried, found, missed


def _tampered(
    registry: Registry, change: Callable[[Attacker], None], draw: random.Random, anchors: list[Anchor]
) -> LogVerdict | None:
    with Session(registry._engine) as session, session.begin() as transaction:
        try:
            change(Attacker(session, draw))
        except IntegrityError:
            transaction.rollback()
            return None
        session.expire_all()
        verdict = _verify(session, anchors, None)
        transaction.rollback()
        return verdict


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--postgres", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = new_database(postgres()) if args.postgres else f"sqlite:///{folder}/registry.db"
        registry = filled(url, Path(folder))
        began = time.perf_counter()
        tried, found, missed = trials(registry, args.trials)
        picture = Picture(title=f"{registry.head().seq} events, {url.split(':')[0]}", title_justify="left")
        for title in ("change", "tried", "found"):
            picture.add_column(title)
        for name in tried:
            picture.add_row(name, f"{tried[name]:,}", f"{found[name]:,}")
        picture.add_row("all", f"{tried.total():,}", f"{found.total():,}")
        Console().print(picture, f"{time.perf_counter() - began:.0f} s", *missed[:20], sep="\n")


if __name__ == "__main__":
    main()
