"""Rows as the database holds them, whatever somebody put there: nothing is converted, so nothing fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from hier_dag.registry.tables import Moment

Row = dict[str, Any]


def raw_rows(
    s: Session, table: Table, *where: ColumnElement[bool], order: bool = False, limit: int | None = None
) -> Iterator[Row]:
    """Rows of a table by column; times are in UTC without a zone where they are times at all.

    Args:
        s: a transaction.
        table: which table.
        where: conditions, all of which hold.
        order: whether they come in the order of the primary key.
        limit: how many at most.
    """
    columns = [type_coerce(c, NullType()).label(c.name) for c in table.columns]
    query = select(*columns).where(*where).limit(limit)
    if order:
        query = query.order_by(*table.primary_key.columns)
    times = {c.name for c in table.columns if c.type is Moment}
    for row in s.execute(query).mappings():
        yield {k: moment(v) if k in times else v for k, v in row.items()}


def moment(value: Any) -> Any:
    """A time in UTC without a zone, from what a driver gives; what is no time stays as it is."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value
