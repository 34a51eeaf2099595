"""Splits, catalogues and audiences name nodes and domains of the graph; each row that does not is counted."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.faults.broken_graphs import rewrite_nodes, sound_graph, view_of
from hier_dag.graph.files import AUDIENCE, CATALOGUE, ITEMS, splits_file
from schemas.graph_contract.integrity import integrity

SHOP = splits_file("shop")


def found(engine, tmp_path, change):
    failures = integrity(view_of(engine, sound_graph(), tmp_path / "graph", change))
    return {(f.table, f.column, f.rule): f.count for f in failures}


def appended(file, *rows):
    """Further rows at a table's end; columns that they do not name are as in its first row."""

    def change(folder):
        table = pq.read_table(folder / file)
        first = table.slice(0, 1).to_pylist()[0]
        more = pa.Table.from_pylist([first | row for row in rows], table.schema)
        pq.write_table(pa.concat_tables([table, more]), folder / file)

    return change


@pytest.mark.parametrize(
    ("file", "rows", "expected"),
    [
        # 14 users and 9 items: number 9 is a user and no item.
        (SHOP, [{"item": 9}, {"item": 99999}], {("item", "unknown_item"): 2}),
        (SHOP, [{"user": 14}, {"user": 99999}], {("user", "unknown_user"): 2}),
        (
            SHOP,
            [{"user": 14, "item": 9}, {"user": -1}],
            {("user", "unknown_user"): 2, ("item", "unknown_item"): 1, ("user", "too_small"): 1},
        ),
        (SHOP, [{"item": None}], {("item", "null"): 1}),
        (CATALOGUE, [{"item": 9}, {"item": 99999}], {("item", "unknown_item"): 2}),
        (CATALOGUE, [{}, {}], {("domain,item", "duplicate"): 2}),
        (CATALOGUE, [{"domain": "nosuch"}], {("domain", "unknown_domain"): 1}),
        (CATALOGUE, [{"domain": None}], {("domain", "null"): 1}),
        (AUDIENCE, [{"user": 14}, {"user": 99999}], {("user", "unknown_user"): 2}),
        (AUDIENCE, [{}], {("domain,user", "duplicate"): 1}),
        (
            AUDIENCE,
            [{"domain": "nosuch", "user": 77}],
            {("domain", "unknown_domain"): 1, ("user", "unknown_user"): 1},
        ),
    ],
)  # fmt: skip
def test_rows_that_name_nothing_are_counted_exactly(engine, tmp_path, file, rows, expected):
    assert found(engine, tmp_path, appended(file, *rows)) == {(file, *k): n for k, n in expected.items()}


def test_a_catalogue_without_its_numbers_is_refused_by_its_column(engine, tmp_path):
    def renamed(folder):
        table = pq.read_table(folder / CATALOGUE)
        pq.write_table(table.rename_columns(["domain", "article"]), folder / CATALOGUE)

    assert found(engine, tmp_path, renamed) == {(CATALOGUE, "item", "missing_column"): 1}


def test_what_is_known_is_asked_of_the_node_table_where_numbers_are_not_dense(engine, tmp_path):
    """Item 4 is gone from the table and an item 50 is new: rows of 4 name nothing, a row of 50 does."""

    def change(folder):
        rewrite_nodes(folder, "item", item=pa.array([0, 1, 2, 3, 50, 5, 6, 7, 8]))
        appended(CATALOGUE, {"item": 50})(folder)

    counts = found(engine, tmp_path, change)
    pairs = sound_graph().interactions["shop"]
    assert counts[(ITEMS, "item", "not_dense")] == 1
    assert counts[(CATALOGUE, "item", "unknown_item")] == 2  # one in each domain
    assert counts[(SHOP, "item", "unknown_item")] == (pairs.item == 4).sum() > 0
