"""SQL tables through SQLAlchemy: names are quoted by its constructs, rows come in batches, in a fixed order.

Every mapped column is cast to text inside the database, so that integers beyond 2^53 and decimals arrive
exactly and all sources share the rules for text. Rows are ordered by the mapped columns: the same table gives
the same digest and the same row numbers whichever way the database stores it.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from hier_dag.config.database_url import source_url_problem
from hier_dag.config.load import sqlite_file
from hier_dag.config.models import PlatformConfig
from hier_dag.config.sources import TableSource
from hier_dag.errors import SourceError
from hier_dag.ingest.row_sample import ROWS, as_text
from hier_dag.ingest.source_columns import check_columns

BATCH = 50_000


def location(source: TableSource) -> str:
    """`url#table`, without what may be secret: password and query."""
    url = make_url(str(source.sql)).set(query={})
    return f"{url.render_as_string(hide_password=True)}#{source.table}"


def mapped_names(source: TableSource) -> list[str]:
    """Source columns that a declaration maps, each once, in declared order."""
    if hasattr(source, "columns"):
        values = [v for v in source.columns.model_dump().values() if v is not None]
    else:
        keys = (
            "item_id",
            "entity_id",
            "head",
            "tail",
            "relation_column",
            "user_id",
            "other_id",
            "id",
            "name",
        )
        values = [v for k in keys if (v := getattr(source, k, None)) is not None]
    return list(dict.fromkeys(values))


def snapshot_digest(config: PlatformConfig, source: TableSource, domain: str | None) -> tuple[str, int]:
    """SHA-256 over the mapped columns of every row, in the fixed order, and the bytes hashed.

    Raises:
        SourceError: when the table cannot be read or lacks a mapped column.
    """
    digest, size = hashlib.sha256(), 0
    for rows in read_batches(config, source, mapped_names(source), domain):
        data = repr(rows).encode("utf-8", "backslashreplace")
        digest.update(data)
        size += len(data)
    return digest.hexdigest(), size


def read_arrow(
    config: PlatformConfig, source: TableSource, mapping: Mapping[str, str], domain: str | None
) -> Iterator[pa.Table]:
    """Batches of the mapped columns as text, under their canonical names.

    Args:
        config: the platform, for `data`.
        source: the declaration.
        mapping: canonical name to source column.
        domain: named in errors.

    Raises:
        SourceError: when the table cannot be read or lacks a mapped column.
    """
    order = mapped_names(source)
    for rows in read_batches(config, source, order, domain):
        columns = dict(zip(order, zip(*rows, strict=True), strict=True))
        yield pa.table({k: pa.array(columns[v], pa.string()) for k, v in mapping.items()})


def read_batches(
    config: PlatformConfig, source: TableSource, names: Sequence[str], domain: str | None
) -> Iterator[list[tuple[str | None, ...]]]:
    """Lists of rows, every value as text, ordered by all of `names`."""
    place: dict[str, Any] = {"domain": domain, "file": location(source)}
    schema, _, name = str(source.table).rpartition(".")
    with _engine(config, source, place) as engine, _reading(place):
        there = _columns(engine, schema or None, name, place)
        rows = partial(_first_rows, engine, schema or None, name)
        check_columns(list(there), names, "allow", place, rows)
        columns: list[sa.ColumnClause[Any]] = [sa.column(n) for n in names]
        written = [sa.cast(c, sa.Text).label(f"c{i}") for i, c in enumerate(columns)]
        query = sa.select(*written).select_from(sa.table(name, *columns, schema=schema or None))
        with engine.connect().execution_options(yield_per=BATCH) as connection:
            for part in connection.execute(query.order_by(*columns)).partitions():
                yield [tuple(row) for row in part]


def _columns(engine: sa.Engine, schema: str | None, name: str, place: Mapping[str, Any]) -> dict[str, str]:
    """Name and declared type of every column of a table or view."""
    inspector = sa.inspect(engine)
    if not inspector.has_table(name, schema=schema) and name not in inspector.get_view_names(schema=schema):
        tables = inspector.get_table_names(schema=schema)
        close = difflib.get_close_matches(name, tables, n=1)
        raise SourceError(
            f"there is no table {name!r}; there are: {', '.join(tables[:20]) or 'none'}.",
            **place,
            fix=f"did you mean {close[0]!r}?" if close else "correct `table`",
        )
    return {c["name"]: str(c["type"]) for c in inspector.get_columns(name, schema=schema)}


def columns_of(config: PlatformConfig, source: TableSource, domain: str | None) -> dict[str, str]:
    """Name and declared type of every column of the table, mapped or not.

    Raises:
        SourceError: when the table cannot be read, or has columns that the source refuses.
    """
    place: dict[str, Any] = {"domain": domain, "file": location(source)}
    schema, _, name = str(source.table).rpartition(".")
    with _engine(config, source, place) as engine, _reading(place):
        there = _columns(engine, schema or None, name, place)
        rows = partial(_first_rows, engine, schema or None, name)
        check_columns(list(there), mapped_names(source), source.extra_columns, place, rows)
        return there


def _first_rows(engine: sa.Engine, schema: str | None, name: str) -> list[dict[str, Any]]:
    query: sa.Select[Any] = (
        sa.select(sa.literal_column("*")).select_from(sa.table(name, schema=schema)).limit(ROWS)
    )
    with engine.connect() as connection:
        return [{k: as_text(v) for k, v in row.items()} for row in connection.execute(query).mappings()]


@contextmanager
def _reading(place: Mapping[str, Any]) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as e:
        raise SourceError(
            f"the table cannot be read: {str(e).splitlines()[0]}",
            **place,
            fix="check the URL, the credentials and `table`",
        ) from e


@contextmanager
def _engine(config: PlatformConfig, source: TableSource, place: Mapping[str, Any]) -> Iterator[sa.Engine]:
    problem = source_url_problem(str(source.sql))
    if problem is not None:
        # Checked again where it is used: making an engine already loads what `plugin=` names.
        raise SourceError(problem[0], fix=problem[1], **place)
    database = sqlite_file(config, source)
    engine = sa.create_engine(
        _read_only(database) if database else str(source.sql), poolclass=sa.pool.NullPool
    )
    if database:

        @sa.event.listens_for(engine, "connect")
        def _keep_bad_bytes(connection: Any, _: Any) -> None:
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")

    try:
        yield engine
    finally:
        engine.dispose()


def _read_only(database: Path) -> URL:
    # Read-only: closing the last writer would fold the write-ahead log into the file and change its digest.
    return URL.create("sqlite", database="file:" + quote(str(database)), query={"mode": "ro", "uri": "true"})
