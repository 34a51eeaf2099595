"""Contracts of what the domains share: links, triples, social edges, names, catalogues."""

from __future__ import annotations

import ibis.expr.datatypes as dt
from pandera.ibis import Column, DataFrameSchema

from schemas.checks import not_empty
from schemas.validate import Contract, unique, where


def _text(description: str) -> Column:
    return Column(dt.string, not_empty(), description=description)


_ITEM, _ENTITY = _text("item, as its source has it"), _text("entity, as its source has it")
_RELATION = _text("relation name")

ITEM_ENTITY = Contract(
    DataFrameSchema({"item_id": _ITEM, "entity_id": _ENTITY, "relation": _RELATION}, strict=True),
    (unique("item_id", "entity_id", "relation"),),
)
ENTITY_ENTITY = Contract(
    DataFrameSchema(
        {
            "head": _text("entity the triple starts at"),
            "relation": _RELATION,
            "tail": _text("entity it ends at"),
        },
        strict=True,
    ),
    (unique("head", "relation", "tail"),),
)
USER_USER = Contract(
    DataFrameSchema(
        {
            "user_id": _text("the user whose id is smaller in byte order"),
            "other_id": _text("the other user"),
            "relation": _RELATION,
        },
        strict=True,
    ),
    (
        unique("user_id", "other_id", "relation"),
        where("self_edge", ["user_id", "other_id"], lambda t: t.user_id == t.other_id),
        where("wrong_order", ["user_id", "other_id"], lambda t: t.user_id > t.other_id),
    ),
)
ENTITY_NAMES = Contract(
    DataFrameSchema({"entity_id": _ENTITY, "name": _text("name to show")}, strict=True),
    (unique("entity_id"),),
)
ITEM_NAMES = Contract(
    DataFrameSchema({"item_id": _ITEM, "name": _text("name to show")}, strict=True), (unique("item_id"),)
)
CATALOGUE = Contract(
    DataFrameSchema({"domain": _text("domain that offers the item"), "item_id": _ITEM}, strict=True),
    (unique("domain", "item_id"),),
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
