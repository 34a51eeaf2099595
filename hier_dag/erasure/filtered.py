"""A Parquet table of users written anew without some of them, in the layout that it has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hier_dag.publish.rows import BLOCK
from hier_dag.publish.writing import HashedFolder


@dataclass(frozen=True)
class Kept:
    """What is left of a table.

    Attributes:
        before: rows that it had.
        after: rows that it has.
        norms: float32 [after] of column `norm`; None where it has none.
        origins: rows by `origin`; empty where it has none.
    """

    before: int
    after: int
    norms: NDArray[np.float32] | None
    origins: dict[str, int]


def write_without(source: Path, folder: HashedFolder, ids: pa.Array) -> Kept:
    """Writes a table of a set without the rows of some users, a block of rows at a time.

    Args:
        source: the table; column `user_id`.
        folder: staged folder that gets a file of the same name.
        ids: the users, string.
    """
    table = pq.ParquetFile(source)
    kept = _Figures()
    with (
        folder.create(source.name) as file,
        pq.ParquetWriter(file, table.schema_arrow, **_layout(table.metadata)) as writer,
    ):
        for block in _blocks(table, ids):
            kept.add(block)
            writer.write_table(block, row_group_size=BLOCK)
    return kept.of(table.metadata.num_rows)


def _blocks(table: pq.ParquetFile, ids: pa.Array) -> Iterator[pa.Table]:
    """Rows that stay, in tables of BLOCK rows but for the last."""
    waiting = table.schema_arrow.empty_table()
    for batch in table.iter_batches(BLOCK):
        stays = batch.filter(pc.invert(pc.is_in(batch["user_id"], ids)))
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([stays])])
        while waiting.num_rows >= BLOCK:
            yield waiting.slice(0, BLOCK).combine_chunks()
            waiting = waiting.slice(BLOCK)
    if waiting.num_rows:
        yield waiting.combine_chunks()


def _layout(metadata: pq.FileMetaData) -> dict[str, Any]:
    """How a file's columns are compressed, put in dictionaries and told by statistics, to write one alike."""
    if metadata.num_row_groups == 0:
        return {}
    group = metadata.row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    codecs = {c.path_in_schema: c.compression for c in columns}
    return {
        "compression": {name: "NONE" if codec == "UNCOMPRESSED" else codec for name, codec in codecs.items()},
        "use_dictionary": [c.path_in_schema for c in columns if c.has_dictionary_page],
        "write_statistics": [c.path_in_schema for c in columns if c.is_stats_set],
    }


class _Figures:
    def __init__(self) -> None:
        self._rows = 0
        self._norms: list[NDArray[np.float32]] | None = None
        self._origins: dict[str, int] = {}

    def add(self, block: pa.Table) -> None:
        self._rows += block.num_rows
        if "norm" in block.column_names:
            self._norms = [*(self._norms or []), block["norm"].to_numpy()]
        if "origin" in block.column_names:
            for count in pc.value_counts(block["origin"].cast(pa.string())).to_pylist():
                self._origins[count["values"]] = self._origins.get(count["values"], 0) + count["counts"]

    def of(self, before: int) -> Kept:
        norms = None if self._norms is None else np.concatenate(self._norms)
        return Kept(before, self._rows, norms, self._origins)
