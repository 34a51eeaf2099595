"""A corrected row is what the row would have been, had the log held the corrected values."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.ingest.connection import connect
from hier_dag.ingest.corrections import SCHEMA, Corrections
from hier_dag.ingest.events import PreviousEvents, ingest_domain
from hier_dag.ingest.fingerprint import fingerprint
from tests.ingest.helpers import NOW, contents, platform, rows, write

COLUMNS = {"user_id": "u", "item_id": "i", "behavior": "b", "weight": "w", "event_time": "t"}
DIRTY = {"u": None, "b": "spin", "w": "-1", "t": "1970-01-01"}
NAMES = ("a.csv", "a.csv.gz", "a.jsonl", "a.parquet")


def ingest(folder: Path, name: str, out: Path, corrections=None, previous=None):
    config = platform(folder, {"path": name, "columns": COLUMNS}, behaviors={"view": 1, "order": 3})
    out.mkdir(parents=True)
    inputs = fingerprint(config, config.domains["shop"].sources, "shop")
    given = {"corrections": corrections, "previous": previous}
    with connect(out.parent / "scratch", threads=1) as con:
        return ingest_domain(config, "shop", inputs, out, con=con, as_of=NOW, **given)


def sound(n: int) -> dict[str, str]:
    return {
        "u": f"u{n % 3}",
        "i": f"i{n % 2}",
        "b": ("view", "order")[n % 2],
        "w": "2",
        "t": f"2024-01-0{1 + n % 4}",
    }


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(NAMES),
    st.lists(st.sampled_from(["", *DIRTY]), min_size=1, max_size=12),
    st.sets(st.integers(0, 11)),
)
def test_corrected_rows_give_what_a_mended_log_gives(name, harms, chosen):
    mended = [sound(n) for n in range(len(harms))]
    dirty = [{**row, **({h: DIRTY[h]} if h else {})} for row, h in zip(mended, harms, strict=True)]
    fixed = {n for n in chosen if n < len(harms) and harms[n]}
    by_hand = [mended[n] if n in fixed else row for n, row in enumerate(dirty)]
    with TemporaryDirectory() as tmp:
        folder = Path(tmp)
        for part, log in (("dirty", dirty), ("by_hand", by_hand)):
            (folder / part).mkdir()
            write(folder / part / name, log)
        plain = ingest(folder / "dirty", name, folder / "plain")
        fixes = Corrections.none().merged(record(folder / "plain", plain, n + 1, mended[n]) for n in fixed)
        ledger = ingest(folder / "dirty", name, folder / "out", fixes)
        expected = ingest(folder / "by_hand", name, folder / "expected")
        assert totals(ledger) == totals(expected)
        assert ledger.files[0].corrected == len(fixed)
        assert rows(folder / "out" / "events") == rows(folder / "expected" / "events")
        assert rows(folder / "out" / "quarantine") == rows(folder / "expected" / "quarantine")


def totals(ledger):
    return ledger.rows_in, ledger.rows_out, ledger.deduplicated, ledger.quarantined


def record(folder, ledger, row, values):
    """A correction of a quarantined row of an ingest."""
    (entry,) = ledger.files
    (before,) = [r["raw"] for r in rows(folder / "quarantine") if r["row"] == row]
    place = {"sha256": entry.sha256, "location": entry.location, "row": row}
    return {**place, "before": before, "values": json.dumps(values)}


@pytest.fixture
def corrected(tmp_path):
    """A log with one bad row, and its correction."""
    write(tmp_path / "a.csv", [sound(0), {**sound(1), "b": "spin"}, sound(2)])
    plain = ingest(tmp_path, "a.csv", tmp_path / "plain")
    return Corrections.none().merged([record(tmp_path / "plain", plain, 2, sound(1))])


def test_a_timestamp_type_is_corrected_as_iso_text(tmp_path):
    times = pa.array([0, 1_700_000_000_000_000], pa.timestamp("us"))
    columns = {"u": ["a", "b"], "i": ["x", "y"], "b": ["view"] * 2, "w": [1.0, 2.0], "t": times}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    plain = ingest(tmp_path, "a.parquet", tmp_path / "plain")
    assert plain.quarantined == {"early_time": 1}
    (bad,) = rows(tmp_path / "plain" / "quarantine")
    values = {**json.loads(bad["raw"]), "t": "2024-02-03 04:05:06.789"}
    out = tmp_path / "out"
    ledger = ingest(
        tmp_path, "a.parquet", out, Corrections.none().merged([record(tmp_path / "plain", plain, 1, values)])
    )
    assert (ledger.rows_out, ledger.quarantined) == (2, {})
    assert rows(out / "events")[0]["event_time"].isoformat() == "2024-02-03T04:05:06.789000+00:00"


def test_a_file_delivered_again_is_read_as_it_is(tmp_path, corrected):
    write(tmp_path / "a.csv", [sound(0), {**sound(1), "b": "spin"}, sound(2), sound(3)])
    ledger = ingest(tmp_path, "a.csv", tmp_path / "out", corrected)
    assert (ledger.quarantined, ledger.files[0].corrected) == ({"unknown_behavior": 1}, 0)


def test_files_are_reused_until_their_corrections_change(tmp_path, corrected):
    ingest(tmp_path, "a.csv", tmp_path / "one", corrected)
    before = PreviousEvents.read(tmp_path / "one")
    again = ingest(tmp_path, "a.csv", tmp_path / "two", corrected, before)
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
    assert again.rows_out == 3
    assert ingest(tmp_path, "a.csv", tmp_path / "three", None, before).rows_out == 2


def test_the_newer_of_two_corrections_of_a_row_stays(tmp_path, corrected):
    newer = {**corrected.table.to_pylist()[0], "values": json.dumps(sound(3))}
    both = corrected.merged([newer])
    both.write(tmp_path)
    assert Corrections.read(tmp_path).table.to_pylist() == [newer]
    assert both.table.schema == SCHEMA


def test_a_correction_stays_with_its_table_and_its_values(tmp_path):
    """Tables of one database share its digest, and a new mapping may number rows anew."""
    database = tmp_path / "log.sqlite"
    with sqlite3.connect(database) as connection:
        for table in ("one", "two"):
            connection.execute(f"create table {table} (u text, i text, b text, w text, t text)")
            log = [tuple(r.values()) for r in (sound(0), {**sound(1), "b": "spin"}, sound(2))]
            connection.executemany(f"insert into {table} values (?, ?, ?, ?, ?)", log)
    connection.close()

    def read(out, corrections=None, table="one", columns=COLUMNS):
        source = {"sql": "sqlite:///log.sqlite", "table": table, "columns": columns}
        config = platform(tmp_path, source, behaviors={"view": 1, "order": 3})
        out.mkdir(parents=True)
        inputs = fingerprint(config, config.domains["shop"].sources, "shop")
        with connect(tmp_path / "scratch", threads=1) as con:
            return ingest_domain(config, "shop", inputs, out, con=con, as_of=NOW, corrections=corrections)

    plain = read(tmp_path / "plain")
    (bad,) = rows(tmp_path / "plain" / "quarantine")
    fixes = Corrections.none().merged([record(tmp_path / "plain", plain, bad["row"], sound(1))])
    assert read(tmp_path / "same", fixes).quarantined == {}
    assert read(tmp_path / "other", fixes, table="two").quarantined == {"unknown_behavior": 1}
    swapped = {**COLUMNS, "user_id": "i", "item_id": "u"}
    moved = read(tmp_path / "moved", fixes, columns=swapped)
    assert (moved.files[0].corrected, moved.quarantined) == (0, {"unknown_behavior": 1})


def test_a_corrected_row_counts_among_the_events_of_its_day(tmp_path):
    """Corrections and bursts: both read rows again, in either order."""
    log = [{**sound(n), "u": "u", "t": "2024-01-01", "i": f"i{n}"} for n in range(4)]
    write(tmp_path / "a.csv", [*log[:3], {**log[3], "b": "spin"}, {**sound(0), "u": "calm"}])

    def read(out, corrections=None, limit=3):
        source = {"path": "a.csv", "columns": COLUMNS}
        limits = {"behaviors": {"view": 1, "order": 3}, "max_events_per_user_day": limit}
        config = platform(tmp_path, source, **limits)
        out.mkdir(parents=True)
        inputs = fingerprint(config, config.domains["shop"].sources, "shop")
        with connect(tmp_path / "scratch", threads=1) as con:
            return ingest_domain(config, "shop", inputs, out, con=con, as_of=NOW, corrections=corrections)

    plain = read(tmp_path / "plain")
    assert plain.quarantined == {"unknown_behavior": 1}
    fixes = Corrections.none().merged([record(tmp_path / "plain", plain, 4, log[3])])
    assert read(tmp_path / "calm", fixes, limit=4).quarantined == {}
    busy = read(tmp_path / "busy", fixes)
    assert (busy.quarantined, busy.rows_out) == ({"burst": 4}, 1)
