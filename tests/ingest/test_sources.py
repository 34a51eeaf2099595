"""A source that cannot be read stops the domain with a message that says what to mend."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.errors import SourceError
from tests.ingest.helpers import ingest, platform, rows, write

PAIR = [{"user_id": "u", "item_id": "i"}]


def failure(tmp_path, source) -> SourceError:
    with pytest.raises(SourceError) as caught:
        ingest(platform(tmp_path, source), tmp_path / "out")
    e = caught.value
    assert e.domain == "shop"
    assert e.fix
    return e


@pytest.mark.parametrize("path", ["gone.csv", "days/*.csv"])
def test_missing_files(tmp_path, path):
    assert path in str(failure(tmp_path, {"path": path}))


def test_empty_file(tmp_path):
    (tmp_path / "a.csv").touch()
    assert "empty file" in str(failure(tmp_path, {"path": "a.csv"}))


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.csv.gz", "a.jsonl", "a.sqlite"])
def test_a_renamed_column_is_named_with_what_is_there(tmp_path, name):
    write(tmp_path / name, [{"user_idd": "u", "item_id": "i"}])
    where = {"sql": f"sqlite:///{name}", "table": "log"} if name.endswith("sqlite") else {"path": name}
    e = failure(tmp_path, where)
    assert e.column == "user_id"
    assert "'user_idd'" in str(e)
    assert "did you mean 'user_idd'" in str(e.fix)


@pytest.mark.parametrize("name", ["a.parquet", "a.csv.gz", "a.jsonl.gz", "a.sqlite"])
def test_a_file_cut_short_or_of_another_kind(tmp_path, name):
    (tmp_path / name).write_bytes(b"PAR1 this is not what its name says")
    where = {"sql": f"sqlite:///{name}", "table": "log"} if name.endswith("sqlite") else {"path": name}
    assert "cannot be read" in str(failure(tmp_path, where))


def test_a_truncated_gz(tmp_path):
    write(tmp_path / "a.csv.gz", [{"user_id": f"user{n * n}", "item_id": f"{n}"} for n in range(2000)])
    whole = (tmp_path / "a.csv.gz").read_bytes()
    (tmp_path / "a.csv.gz").write_bytes(whole[: len(whole) // 2])
    assert "cannot be read" in str(failure(tmp_path, {"path": "a.csv.gz"}))


def test_damage_inside_a_parquet_page(tmp_path):
    write(tmp_path / "a.parquet", [{"user_id": f"user{n * n}", "item_id": f"{n}"} for n in range(5000)])
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    data[100:4000] = bytes(3900)
    (tmp_path / "a.parquet").write_bytes(data)
    assert "a.parquet" in str(failure(tmp_path, {"path": "a.parquet"}))


def test_float_ids_are_refused(tmp_path):
    pq.write_table(pa.table({"user_id": [1.0, 2.0], "item_id": ["a", "b"]}), tmp_path / "a.parquet")
    e = failure(tmp_path, {"path": "a.parquet"})
    assert e.column == "user_id"
    assert "float" in str(e)


def test_a_retyped_time_column_is_refused(tmp_path):
    write(tmp_path / "a.parquet", [{"user_id": "u", "item_id": "i", "at": 1_700_000_000}])
    e = failure(tmp_path, {"path": "a.parquet", "columns": {"event_time": "at"}})
    assert e.column == "at"
    assert "time_unit" in str(e)


def test_utf_16_and_a_missing_table(tmp_path):
    (tmp_path / "a.csv").write_bytes("user_id,item_id\nu,i\n".encode("utf-16"))
    assert "UTF-16" in str(failure(tmp_path, {"path": "a.csv"}))


def test_a_table_that_is_not_there(tmp_path):
    write(tmp_path / "a.sqlite", PAIR)
    assert "did you mean 'log'" in str(failure(tmp_path, {"sql": "sqlite:///a.sqlite", "table": "logs"}))


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_day_without_events_is_fine(tmp_path, name):
    if name == "a.csv":
        (tmp_path / name).write_text("user_id,item_id\n")
    else:
        pq.write_table(
            pa.schema([("user_id", pa.string()), ("item_id", pa.string())]).empty_table(), tmp_path / name
        )
    ledger = ingest(platform(tmp_path, {"path": name}), tmp_path / "out")
    assert (ledger.rows_in, rows(tmp_path / "out" / "events")) == (0, [])
