"""Contracts of what belongs to a domain: the items of its catalogue and the users of its audience."""

from __future__ import annotations

import ibis.expr.datatypes as dt
from pandera.ibis import Column, DataFrameSchema

from schemas.checks import at_least
from schemas.validate import Contract, unique


def _members(kind: str, meaning: str) -> Contract:
    columns = {
        "domain": Column(dt.string, description="domain name"),
        kind: Column(dt.int64, at_least(0), description=meaning),
    }
    return Contract(DataFrameSchema(columns), (unique("domain", kind, ascending=True),))


CATALOGUES = _members("item", "dense number of the item")
AUDIENCES = _members("user", "dense number of the user")
