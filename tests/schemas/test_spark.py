"""The same contract tells the same failures inside DuckDB and inside Spark."""

from __future__ import annotations

import importlib.util
import shutil

import ibis
import pyarrow as pa
import pytest

from hier_dag.ingest.connection import connect
from schemas.spark import on_spark
from schemas.validate import validate
from tests.schemas.canaries import CANARIES, VALID, rules_of
from tests.schemas.test_canaries import CONTRACTS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("pyspark") is None, reason="pyspark is not installed (extra `spark`)"
    ),
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java 17, and there is no java"),
]


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        .getOrCreate()
    )
    yield ibis.pyspark.connect(session)
    session.stop()


@pytest.fixture(scope="module")
def duck(tmp_path_factory):
    with connect(tmp_path_factory.mktemp("scratch"), threads=1) as con:
        yield con


def failures(table, contract):
    return {(f.column, f.rule): f.count for f in validate(table, CONTRACTS[contract], name="t")}


def in_spark(spark, folder, columns, name):
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    return on_spark(spark.read_parquet(str(folder / f"{name}.parquet")))


# Vectors are lists, whose functions are each engine's own: they are checked where they are published.
@pytest.mark.parametrize("contract", [c for c in CONTRACTS if c != "EMBEDDINGS"])
def test_both_engines_find_the_same(spark, duck, tmp_path, contract):
    tables = {"valid": VALID[contract]}
    for columns, rule in rules_of(CONTRACTS[contract]):
        tables.setdefault(rule, CANARIES[rule](VALID[contract], columns).columns)
    for rule, columns in tables.items():
        told = failures(duck.create_table("t", pa.table(columns), overwrite=True), contract)
        assert failures(in_spark(spark, tmp_path, columns, rule), contract) == told, rule
        assert bool(told) == (rule != "valid")
