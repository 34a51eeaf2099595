"""Shared links as edges between numbered nodes: what joins, counted with what does not and why."""

from __future__ import annotations

import ibis
from ibis.backends.duckdb import Backend

from hier_dag.conservation import Flow

LINKS_TO_EDGES = "links → edges"
EdgesAndFlow = tuple[ibis.Table, Flow]


def item_entity(con: Backend, links: ibis.Table, items: ibis.Table, entities: ibis.Table) -> EdgesAndFlow:
    """Links of items to entities as distinct edges: item, entity. Relations between the two are one here."""
    joined = links.left_join(items, "item_id").left_join(entities, links.entity_id == entities.entity_id)
    ends = joined.select("item", "entity", known=joined.item.notnull() & joined.entity.notnull())
    return _edges(con, "item_entity", links, ends, "unknown_end", "same_pair_other_relation", loops=True)


def entity_entity(
    con: Backend, triples: ibis.Table, entities: ibis.Table, relations: ibis.Table
) -> EdgesAndFlow:
    """Triples as undirected edges: head, tail, kind. One stated in both directions is one, a loop is none."""
    heads = entities.select(head_number=entities.entity, head_id=entities.entity_id)
    tails = entities.select(tail_number=entities.entity, tail_id=entities.entity_id)
    kinds = relations.select("kind", relation_name=relations.relation)
    joined = (
        triples.left_join(heads, triples["head"] == heads.head_id)
        .left_join(tails, triples.tail == tails.tail_id)
        .left_join(kinds, triples.relation == kinds.relation_name)
    )
    both = joined.head_number, joined.tail_number
    ends = joined.select(
        head=ibis.least(*both),
        tail=ibis.greatest(*both),
        kind=joined.kind,
        known=both[0].notnull() & both[1].notnull() & joined.kind.notnull(),
    )
    return _edges(con, "entity_entity", triples, ends, "unknown_entity", "same_edge_again")


def social(con: Backend, friends: ibis.Table, users: ibis.Table) -> EdgesAndFlow:
    """Undirected edges between users: user, other. Relations between the two are one here."""
    ones = users.select(one_number=users.user, one_id=users.user_id)
    others = users.select(other_number=users.user, another_id=users.user_id)
    joined = friends.left_join(ones, friends.user_id == ones.one_id).left_join(
        others, friends.other_id == others.another_id
    )
    both = joined.one_number, joined.other_number
    ends = joined.select(
        user=ibis.least(*both),
        other=ibis.greatest(*both),
        known=both[0].notnull() & both[1].notnull(),
    )
    return _edges(con, "user_user", friends, ends, "user_without_events", "same_edge_again")


def _edges(
    con: Backend,
    source: str,
    links: ibis.Table,
    ends: ibis.Table,
    unknown: str,
    again: str,
    *,
    loops: bool = False,
) -> EdgesAndFlow:
    """Distinct edges in order, and the flow that led to them.

    Args:
        con: engine connection.
        source: name of the table of links.
        links: that table.
        ends: of every link, numbers of both ends, the relation if it counts, and `known`: whether all are
            nodes.
        unknown: reason of those that are not known.
        again: reason of those that say what another one said.
        loops: whether equal numbers are no loop, the ends being of two types.
    """
    a, b, *_ = columns = [c for c in ends.columns if c != "known"]
    groups = ends.group_by(*columns, "known").agg(copies=ends.count())
    table = con.create_table(f"grouped_{source}", groups.order_by(columns), temp=True)
    known = table.known
    loop = ibis.literal(False) if loops else known & (table[a] == table[b])
    edge = known & ~loop
    counts = table.aggregate(
        edges=edge.sum(),
        unknown=table.copies.sum(where=~known),
        loop=table.copies.sum(where=loop),
        again=(table.copies - 1).sum(where=edge),
    )
    found = {k: int(v or 0) for k, v in counts.to_pyarrow().to_pylist()[0].items()}
    lost = {unknown: found["unknown"], "self_edge": found["loop"], again: found["again"]}
    entered = int(links.count().to_pyarrow().as_py())
    flow = Flow(LINKS_TO_EDGES, "links", entered, {"edges": found["edges"]}, lost, source=source)
    return table.filter(edge).select(*columns), flow
