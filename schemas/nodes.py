"""Contracts of the node tables: dense numbers 0 … n-1 against original ids, both unique."""

from __future__ import annotations

import ibis.expr.datatypes as dt
from pandera.ibis import Column, DataFrameSchema

from schemas.checks import at_least
from schemas.validate import Contract, dense, unique


def _nodes(kind: str, *, named: bool) -> Contract:
    columns = {
        kind: Column(dt.int64, at_least(0), description=f"dense number of the {kind}, 0 … n-1"),
        f"{kind}_id": Column(dt.string, description=f"original id of the {kind}"),
    }
    if named:
        columns["name"] = Column(
            dt.string, nullable=True, description="name to show; null where none is known"
        )
    return Contract(
        DataFrameSchema(columns),
        (unique(kind, ascending=True), unique(f"{kind}_id", ascending=True), dense(kind)),
    )


USERS = _nodes("user", named=False)
ITEMS = _nodes("item", named=True)
ENTITIES = _nodes("entity", named=True)
