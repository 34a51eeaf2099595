"""The files of a published set as Arrow batches, in the columns that a database table gets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hier_dag.graph.reading import reading

Side = Literal["users", "items"]
SIDES: tuple[Side, ...] = ("users", "items")
SET = "set.json"
FILE_OF: dict[Side, str] = {"users": "users.parquet", "items": "items.parquet"}
KEY_OF: dict[Side, str] = {"users": "user_id", "items": "item_id"}
BATCH = 8_192
"""Rows of a batch: 2 MiB of vectors at 64 dimensions."""


@dataclass(frozen=True)
class SetFiles:
    """One published set, as a sink reads it.

    Attributes:
        folder: holds set.json, users.parquet and items.parquet.
        digest: SHA-256 of the set's manifest, in hex.
        dim: length of every vector.
        metric: how vectors are compared: inner_product.
        space: which vectors may be compared with which; None where the set does not say.
        rows: number of users and of items.
    """

    folder: Path
    digest: str
    dim: int
    metric: str
    space: str | None
    rows: dict[Side, int]

    @classmethod
    def open(cls, folder: Path, digest: str) -> SetFiles:
        """Reads what a set says of itself.

        Raises:
            StoreError: when set.json is not that of a published set.
        """
        with reading(folder / SET):
            facts = json.loads((folder / SET).read_bytes())
            rows: dict[Side, int] = {side: int(facts[side]) for side in SIDES}
            dim, metric, space = int(facts["dim"]), str(facts["metric"]), facts.get("space")
            if metric != "inner_product":
                raise ValueError(f"vectors are compared by {metric!r}, not by inner_product")
            return cls(folder, digest, dim, metric, space, rows)

    def file(self, side: Side) -> Path:
        """The Parquet file of the users or of the items."""
        return self.folder / FILE_OF[side]

    def schema(self, side: Side) -> pa.Schema:
        """Columns of `batches`: id, name (items alone), vector (float32 [dim]), origin, norm."""
        columns = [
            pa.field("id", pa.string(), nullable=False),
            pa.field("name", pa.string()),
            pa.field("vector", pa.list_(pa.float32(), self.dim), nullable=False),
            pa.field("origin", pa.string(), nullable=False),
            pa.field("norm", pa.float32(), nullable=False),
        ]
        return pa.schema([c for c in columns if side == "items" or c.name != "name"])

    def batches(self, side: Side) -> Iterator[pa.RecordBatch]:
        """The rows in the order of the file, `BATCH` at a time, in the columns of `schema`.

        Raises:
            StoreError: when the file lacks a column, or one has another type or dimension.
        """
        schema = self.schema(side)
        names = [KEY_OF[side], *schema.names[1:]]
        file = self.file(side)
        with reading(file), pq.ParquetFile(file) as parquet:
            there = set(parquet.schema_arrow.names)
            if missing := set(names) - there - {"norm"}:
                raise ValueError(f"no column {', '.join(sorted(missing))}")
            for batch in parquet.iter_batches(BATCH, columns=[n for n in names if n in there]):
                columns = {
                    field.name: _as(batch.column(name), field)
                    for name, field in zip(names, schema, strict=True)
                    if name in there
                }
                if "norm" not in there:
                    columns["norm"] = _norms(columns["vector"])
                yield pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def _norms(vectors: pa.Array) -> pa.Array:
    """Euclidean norms, which sets of format 1 do not hold: a roll-back may deliver one of them."""
    values = vectors.flatten().to_numpy(zero_copy_only=False).reshape(-1, vectors.type.list_size)
    return pa.array(np.linalg.norm(values, axis=1), pa.float32())


def _as(column: pa.Array, field: pa.Field) -> pa.Array:
    """A column in its declared type: dictionaries decoded, everything else as it is or refused."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_fixed_size_list(field.type):
        # Names of the inner field differ between writers; length and type of the values must not.
        fixed = pa.types.is_fixed_size_list(column.type) and column.type.list_size == field.type.list_size
        if not fixed or column.type.value_type != pa.float32():
            raise TypeError(f"{field.name} is {column.type}, not {field.type}")
    elif column.type != field.type:
        raise TypeError(f"{field.name} is {column.type}, not {field.type}")
    if column.null_count and not field.nullable:
        raise ValueError(f"{field.name} has {column.null_count} nulls")
    return column.cast(field.type)
