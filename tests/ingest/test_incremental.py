"""A new daily file is added without reading the old ones, and no byte tells whether anything was reused."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest

from hier_dag.errors import SourceError, StoreError
from hier_dag.ingest.connection import connect
from hier_dag.ingest.events import PreviousEvents, ingest_domain
from hier_dag.ingest.fingerprint import fingerprint
from hier_dag.ingest.ledger import Ledger
from tests.ingest.helpers import NOW, contents, ingest, platform, write

SOURCE = {"path": "day*.csv", "columns": {"event_time": "at"}}


def day(folder, n, extra=()):
    records = [
        {"user_id": f"u{k}", "item_id": f"i{k % 7}", "at": "2024-05-01"} for k in range(n * 3, n * 3 + 10)
    ]
    write(folder / f"day{n}.csv", [*records, *extra])


def test_a_new_file_leaves_the_old_ones_unopened(tmp_path):
    day(tmp_path, 0, [{"user_id": "", "item_id": "i", "at": "2024-05-01"}])
    day(tmp_path, 1)
    config = platform(tmp_path, SOURCE)
    ingest(config, tmp_path / "first")
    day(tmp_path, 2)
    inputs = fingerprint(config, config.domains["shop"].sources, "shop")
    for n in (0, 1):
        (tmp_path / f"day{n}.csv").unlink()  # an attempt to open one would fail
    out = tmp_path / "second"
    out.mkdir()
    with connect(tmp_path / "scratch", threads=1) as con:
        previous = PreviousEvents.read(tmp_path / "first")
        ledger = ingest_domain(config, "shop", inputs, out, con=con, as_of=NOW, previous=previous)
    assert ledger.files[2].deduplicated == 7, "three of ten rows are new: the others lie in day1"
    day(tmp_path, 0, [{"user_id": "", "item_id": "i", "at": "2024-05-01"}])
    day(tmp_path, 1)
    ingest(config, tmp_path / "afresh", threads=2)
    assert contents(out) == contents(tmp_path / "afresh")


def test_a_changed_file_is_read_again_with_all_after_it(tmp_path):
    for n in range(3):
        day(tmp_path, n)
    config = platform(tmp_path, SOURCE)
    before = ingest(config, tmp_path / "first")
    day(tmp_path, 1, [{"user_id": "new", "item_id": "i", "at": "2024-05-01"}])
    after = ingest(config, tmp_path / "second", previous=tmp_path / "first")
    ingest(config, tmp_path / "afresh")
    assert before.files[0].chain == after.files[0].chain
    assert before.files[2].chain != after.files[2].chain
    assert contents(tmp_path / "second") == contents(tmp_path / "afresh")


def test_rules_and_mapping_belong_to_the_chain(tmp_path):
    day(tmp_path, 0)
    first = ingest(platform(tmp_path, SOURCE), tmp_path / "a")
    other = ingest(
        platform(tmp_path, SOURCE, ingest={"max_id_length": 3}), tmp_path / "b", previous=tmp_path / "a"
    )
    assert first.files[0].chain != other.files[0].chain


def test_an_event_of_tomorrow_becomes_valid_when_its_day_comes(tmp_path):
    day(tmp_path, 0, [{"user_id": "early", "item_id": "i", "at": "2024-06-05"}])
    config = platform(tmp_path, SOURCE)
    assert ingest(config, tmp_path / "a").quarantined == {"future_time": 1}
    next_day = ingest(config, tmp_path / "b", previous=tmp_path / "a", now=NOW + timedelta(days=1))
    assert next_day.quarantined == {"future_time": 1}
    assert (
        ingest(config, tmp_path / "c", previous=tmp_path / "b", now=NOW + timedelta(days=9)).quarantined == {}
    )
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_file_that_changes_between_hashing_and_reading_is_refused(tmp_path):
    day(tmp_path, 0)
    config = platform(tmp_path, SOURCE)
    inputs = fingerprint(config, config.domains["shop"].sources, "shop")
    day(tmp_path, 0, [{"user_id": "new", "item_id": "i", "at": "2024-05-01"}])
    (tmp_path / "out").mkdir()
    with connect(tmp_path / "scratch") as con, pytest.raises(SourceError, match="changed"):
        ingest_domain(config, "shop", inputs, tmp_path / "out", con=con, as_of=NOW)


def test_locations_hold_no_machine_path(tmp_path):
    day(tmp_path, 0)
    first = ingest(platform(tmp_path, SOURCE), tmp_path / "out")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    shutil.copy(tmp_path / "day0.csv", moved)
    second = ingest(platform(moved, SOURCE), moved / "out")
    assert first == second
    assert contents(tmp_path / "out") == contents(moved / "out")


def test_the_ledger_is_read_back_as_it_was(tmp_path):
    day(tmp_path, 0, [{"user_id": "", "item_id": "i", "at": "x"}])
    ledger = ingest(platform(tmp_path, SOURCE), tmp_path / "out")
    assert Ledger.read(tmp_path / "out" / "ledger.json") == ledger
    (tmp_path / "ledger.json").write_text("{}")
    with pytest.raises(StoreError):
        Ledger.read(tmp_path / "ledger.json")
