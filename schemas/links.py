"""Contracts of what the domains share: links, triples, social edges, names, catalogues."""

from __future__ import annotations

import ibis.expr.datatypes as dt
from pandera.ibis import Column, DataFrameSchema

from schemas.checks import at_least, not_empty
from schemas.validate import Contract, unique, where


def _text(description: str) -> Column:
    return Column(dt.string, not_empty(), description=description)


_ITEM, _ENTITY = _text("item, as its source has it"), _text("entity, as its source has it")
_RELATION = _text("relation name")


def _table(**columns: Column) -> DataFrameSchema:
    """The columns of a kind of link, and where each row lies."""
    place = {
        "file": Column(dt.int32, at_least(0), description="raw file, index into the ledger"),
        "row": Column(dt.int64, at_least(1), description="row of the raw file, from 1"),
    }
    return DataFrameSchema({**columns, **place}, strict=True)


ITEM_ENTITY = Contract(
    _table(item_id=_ITEM, entity_id=_ENTITY, relation=_RELATION),
    (unique("item_id", "entity_id", "relation"),),
)
ENTITY_ENTITY = Contract(
    _table(head=_text("entity the triple starts at"), relation=_RELATION, tail=_text("entity it ends at")),
    (unique("head", "relation", "tail"),),
)
USER_USER = Contract(
    _table(
        user_id=_text("the user whose id is smaller in byte order"),
        other_id=_text("the other user"),
        relation=_RELATION,
    ),
    (
        unique("user_id", "other_id", "relation"),
        where("self_edge", ["user_id", "other_id"], lambda t: t.user_id == t.other_id),
        where("wrong_order", ["user_id", "other_id"], lambda t: t.user_id > t.other_id),
    ),
)
ENTITY_NAMES = Contract(_table(entity_id=_ENTITY, name=_text("name to show")), (unique("entity_id"),))
ITEM_NAMES = Contract(_table(item_id=_ITEM, name=_text("name to show")), (unique("item_id"),))
CATALOGUE = Contract(
    _table(domain=_text("domain that offers the item"), item_id=_ITEM), (unique("domain", "item_id"),)
)

LINK_CONTRACTS: dict[str, Contract] = {
    "item_entity": ITEM_ENTITY,
    "entity_entity": ENTITY_ENTITY,
    "user_user": USER_USER,
    "entity_names": ENTITY_NAMES,
    "item_names": ITEM_NAMES,
    "catalogue": CATALOGUE,
}
"""Contract of each file of the links artifact, by its name without suffix."""
