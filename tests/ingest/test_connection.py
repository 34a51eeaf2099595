"""The engine touches local files alone, and no statement can talk it into more."""

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.ingest.connection import connect


@pytest.fixture
def con(tmp_path):
    with connect(tmp_path / "scratch", memory_limit="100MB", threads=1) as con:
        yield con


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
        "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
        "LOAD httpfs",
        "LOAD '/tmp/evil.duckdb_extension'",
        "SET enable_external_access = true",
        "SET autoinstall_known_extensions = true",
        "SET allow_unsigned_extensions = true",
        "SET lock_configuration = false",
        "SET temp_directory = '/tmp'",
        "SET memory_limit = '100GB'",
        "SELECT getenv('HOME')",
        "SELECT * FROM python_variable",
    ],
)
def test_what_is_not_a_local_file_is_refused(con, statement):
    python_variable = pa.table({"a": [1]})
    assert python_variable.num_rows == 1
    with pytest.raises(duckdb.Error):
        con.raw_sql(statement)


def test_local_files_are_read_written_and_spilled(con, tmp_path):
    n = 3_000_000
    pq.write_table(
        pa.table({"a": pa.array(range(n)), "b": [f"{k * 7919 % n:0>40}" for k in range(n)]}),
        tmp_path / "x.parquet",
    )
    table = con.read_parquet(str(tmp_path / "x.parquet"))
    con.to_parquet(table.order_by(table.b), tmp_path / "y.parquet")
    assert pq.read_metadata(tmp_path / "y.parquet").num_rows == n
    assert con.execute(table.filter(table.a == 5).select(ibis._.a)).a.tolist() == [5]
