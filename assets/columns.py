"""Columns of every table and array of a stage, under one name each: users.vector, item_entity.item_id.

A stage is one asset and one dataset of OpenLineage, which have one schema; most stages have several tables.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import dagster as dg

from assets.metadata import column_schema, markdown_table
from hier_dag.pipeline.stages import ENCODER, EVENTS, GRAPH, MODEL
from hier_dag.store import Artifact

_SPLITS = "splits"
_SCORE = "score of user u and item i: user_vectors[u] · item_vectors[i]"
_ORIGIN = "how the vector came to be: trained, kg_inferred or fallback, by number"
_TERM = "term of the loss without its weight, mean over steps"
# A curve's columns are named as elsewhere numbers of exemplars and ranks are.
_CURVE = {
    "rank": f"ranking of what was acted on: {_TERM}",
    "auxiliary": f"the same by intents and decision paths alone: {_TERM}",
    "mi": f"information bottleneck of the paths: {_TERM}",
    "exemplar": f"contrast of exemplars: {_TERM}",
    "path": f"share of open paths that is expected: {_TERM}",
    "l2": f"squared norm of what was used: {_TERM}",
}
# Arrays are no tables, so no manifest lists them.
_ARRAYS: dict[str, tuple[tuple[str, str, str], ...]] = {
    GRAPH: (
        ("edges.interacts", "csr<float32>", "weight of each training pair, users × items, by domain"),
        ("edges.has_entity", "csr", "items × entities"),
        ("edges.entity_entity", "csr<int64>", "number of the relation, entities × entities, both ways"),
        ("edges.social", "csr", "users × users, both ways"),
    ),
    ENCODER: (
        ("encoding.users", "float32[d]", "zero-shot vector of each user of kg/graph"),
        ("encoding.items", "float32[d]", "zero-shot vector of each item of kg/graph"),
        ("encoding.item_bias", "float32", "added to an item's score"),
        ("encoding.user_origin", "int8", _ORIGIN),
        ("encoding.item_origin", "int8", _ORIGIN),
        ("encoding.interactions", "float32", "tastes, intents and decision paths of interactions"),
        ("encoding.profiles", "float32", "untrained entity profiles of users and items"),
        ("encoding.trust", "float32", "how far sources that played the target could trust the crowd"),
    ),
    MODEL: (
        ("vectors.users", "int64", "number of each user of the audience in kg/graph"),
        ("vectors.user_vectors", "float32[d]", f"vector of each user; {_SCORE}"),
        ("vectors.user_origin", "int8", _ORIGIN),
        ("vectors.items", "int64", "number of each item of the catalogue in kg/graph"),
        ("vectors.item_vectors", "float32[d]", f"vector of each item; {_SCORE}"),
        ("vectors.item_origin", "int8", _ORIGIN),
    ),
}  # fmt: skip


def shown_columns(artifact: Artifact) -> dg.TableSchema:
    """Every column of an artifact: its tables' in order of their files, then its arrays'."""
    kind, tables = artifact.manifest.kind, artifact.manifest.tables
    return column_schema([*_columns(kind, tables), *_arrays(kind)])


def shown_tables(artifact: Artifact) -> dg.MetadataValue[Any]:
    """Rows and columns of every Parquet file of an artifact; footers alone are read."""
    import pyarrow.parquet as pq

    rows = []
    for entry in artifact.manifest.files:
        if entry.path.endswith(".parquet"):
            footer = pq.read_metadata(artifact.file(entry.path))
            rows.append((entry.path, footer.num_rows, footer.num_columns, entry.sha256[:12]))
    return dg.MetadataValue.md(markdown_table(["file", "rows", "columns", "sha256"], rows))


def table_name(kind: str, file: str) -> str:
    """What a table is called in front of its columns: nothing where a stage has one alone.

    The splits of all domains are one table.
    """
    if kind == EVENTS:
        return ""
    path = PurePosixPath(file)
    name = _SPLITS if path.parts[0] == _SPLITS else path.name.removesuffix(".parquet")
    return f"{name}."


def _columns(kind: str, tables: Mapping[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    named = {table_name(kind, file): columns for file, columns in tables.items()}
    for table, columns in named.items():
        for column in columns:
            name = column["name"]
            own = _CURVE.get(name) if table == "curve." else None
            yield {**column, "name": table + name, "description": own or column["description"]}


def _arrays(kind: str) -> Iterator[dict[str, str]]:
    for name, dtype, meaning in _ARRAYS.get(kind, ()):
        yield {"name": name, "type": dtype, "description": meaning}
