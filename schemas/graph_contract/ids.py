"""Ids that look alike, and items whose id is that of a user or an entity: counted, never changed."""

from __future__ import annotations

import ibis.expr.types as ir

from hier_dag.engine_functions import nfc_normalize, strlen
from hier_dag.graph.files import CATALOGUE
from hier_dag.graph.relations import NODE_TYPES, NodeType
from schemas.graph_contract.view import NODE_FILES, SHOWN, GraphView
from schemas.validate import Failure


def look_alikes(view: GraphView) -> list[Failure]:
    """Ids of one type that differ in bytes and are equal after Unicode NFC.

    Returns:
        One failure, `look_alike`, a type; it counts the ids beyond the first of each group.
    """
    found = []
    for kind in NODE_TYPES:
        column = f"{kind}_id"
        table = view.nodes(kind)
        ids = table.select(id=table[column])
        # An id of ASCII alone is its own normal form, and most tables have no other.
        if not _int(view, (strlen(ids.id) > ids.id.length()).sum().fill_null(0)):
            continue
        given = ids.filter(ids.id.notnull()).distinct()
        forms = given.mutate(form=nfc_normalize(given.id))
        groups = forms.group_by("form").aggregate(n=forms.count(), a=forms.id.min(), b=forms.id.max())
        groups = groups.filter(groups.n > 1)
        count = _int(view, (groups.n - 1).sum().fill_null(0))
        if count:
            rows = view.con.to_pyarrow(groups.order_by("form").limit(SHOWN)).to_pylist()
            shown = tuple(f"{r['a']!a} and {r['b']!a}" for r in rows)
            found.append(Failure(NODE_FILES[kind], column, "look_alike", count, shown))
    return found


def mistaken_items(view: GraphView) -> list[Failure]:
    """Items that only a link names (no event, no catalogue) and whose id is a user's or an entity's.

    Such an item usually is a link with its columns swapped. Where ids are plain numbers it may be chance.

    Returns:
        Failures `item_is_user` and `item_is_entity`, with the number of items.
    """
    items, known = view.nodes("item"), view.con.read_parquet(str(view.folder / CATALOGUE))
    linked_only = items.anti_join(known.select("item"), "item").select("item_id")
    found = []
    kinds: tuple[NodeType, ...] = ("user", "entity")
    for kind in kinds:
        ids = view.nodes(kind)
        mistaken: ir.Table = linked_only.semi_join(ids.select(item_id=ids[f"{kind}_id"]), "item_id")
        count = _int(view, mistaken.count())
        if count:
            rows = view.con.to_pyarrow(mistaken.order_by("item_id").limit(SHOWN)).to_pylist()
            shown = tuple(str(r["item_id"]) for r in rows)
            found.append(Failure(NODE_FILES["item"], "item_id", f"item_is_{kind}", count, shown))
    return found


def _int(view: GraphView, value: ir.IntegerScalar) -> int:
    return int(view.con.to_pyarrow(value).as_py())
