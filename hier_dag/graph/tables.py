"""The platform's tables in the engine: nodes numbered densely, pairs split, edges with both ends known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import ibis
from ibis.backends.duckdb import Backend

from hier_dag.config.models import PlatformConfig
from hier_dag.conservation import Flow
from hier_dag.graph import link_edges
from hier_dag.graph.pairs import split_pairs, trainable_pairs

NAMES_TO_NODES, CATALOGUE_TO_ITEMS = "names → nodes", "catalogue → items"


@dataclass
class GraphTables:
    """Tables of a platform, registered in one engine connection.

    Attributes:
        users, items, entities: dense number, original id and (items, entities) name of every node.
        pairs: per domain, dense pairs with their split and ranks.
        item_entity, entity_entity, social: edges in dense numbers.
        relations: relation names of `entity_entity.kind`, by number.
        catalogue, audience: (domain, item) and (domain, user).
        flows: what became of every event, pair, link and name on the way here.
    """

    users: ibis.Table
    items: ibis.Table
    entities: ibis.Table
    pairs: dict[str, ibis.Table]
    item_entity: ibis.Table
    entity_entity: ibis.Table
    relations: ibis.Table
    social: ibis.Table
    catalogue: ibis.Table
    audience: ibis.Table
    flows: list[Flow] = field(default_factory=list)


def graph_tables(
    con: Backend, config: PlatformConfig, events: Mapping[str, Sequence[Path]], links: Path
) -> GraphTables:
    """Builds every table of the graph from validated artifacts.

    Args:
        con: engine connection that the tables live in.
        config: the platform.
        events: canonical event files of each domain; a domain without events has none.
        links: folder of the links artifact.
    """
    raw = {name: _parquet(con, links / f"{name}.parquet") for name in _LINK_FILES}
    split = {d: split_pairs(con, config, d, files) for d, files in events.items()}
    pairs = {d: table for d, (table, _) in split.items()}
    everything = ibis.union(*(p.select("user_id", "item_id") for p in pairs.values()))
    users = _number(con, "users", everything.select("user_id"))
    items = _number(
        con,
        "items",
        ibis.union(
            everything.select("item_id"),
            raw["catalogue"].select("item_id"),
            raw["item_entity"].select("item_id"),
        ),
    )
    triples = raw["entity_entity"]
    entities = _number(
        con,
        "entities",
        ibis.union(
            raw["item_entity"].select("entity_id"),
            triples.select(entity_id=triples["head"]),
            triples.select(entity_id=triples.tail),
        ),
    )
    relations = _number(con, "relations", triples.select("relation"), number="kind")
    dense, placed = trainable_pairs(con, config, pairs, users, items)
    item_entity, of_items = link_edges.item_entity(con, raw["item_entity"], items, entities)
    entity_entity, of_triples = link_edges.entity_entity(con, triples, entities, relations)
    social, of_friends = link_edges.social(con, raw["user_user"], users)
    named_items, item_names = _named(con, items, raw["item_names"])
    named_entities, entity_names = _named(con, entities, raw["entity_names"])
    of_catalogue = _catalogue_flows(raw["catalogue"], items)
    links_flows = [*of_catalogue, of_items, of_triples, of_friends, item_names, entity_names]
    return GraphTables(
        users=users,
        items=named_items,
        entities=named_entities,
        pairs=dense,
        item_entity=item_entity,
        entity_entity=entity_entity,
        relations=relations,
        social=social,
        catalogue=_catalogue(con, dense, raw["catalogue"], items),
        audience=_audience(con, config, dense, users),
        flows=[*(flow for _, flow in split.values()), *placed, *links_flows],
    )


_LINK_FILES = ("item_entity", "entity_entity", "user_user", "entity_names", "item_names", "catalogue")


def _parquet(con: Backend, path: Path) -> ibis.Table:
    return con.read_parquet(str(path))


def _number(con: Backend, name: str, ids: ibis.Table, number: str | None = None) -> ibis.Table:
    """Numbers distinct ids 0…n-1 in byte order of the id: the same ids always get the same numbers."""
    (column,) = ids.columns
    ids = ids.distinct()
    numbered = ids.mutate(ibis.row_number().over(order_by=ids[column]).name(number or name_of(column)))
    return con.create_table(name, numbered.order_by(number or name_of(column)), temp=True)


def name_of(id_column: str) -> str:
    """Column of the dense number that goes with an id column: user_id → user."""
    return id_column.removesuffix("_id")


def _catalogue(
    con: Backend, pairs: Mapping[str, ibis.Table], declared: ibis.Table, items: ibis.Table
) -> ibis.Table:
    seen = [p.select("item", domain=ibis.literal(d)) for d, p in pairs.items()]
    listed = declared.join(items, "item_id").select("item", "domain")
    return con.create_table(
        "catalogue", ibis.union(listed, *seen, distinct=True).order_by("domain", "item"), temp=True
    )


def _catalogue_flows(declared: ibis.Table, items: ibis.Table) -> list[Flow]:
    """What became of every row of every declared catalogue."""
    groups = declared.group_by("domain", "item_id").agg(copies=declared.count()).left_join(items, "item_id")
    known = groups.item.notnull()
    counts = groups.group_by("domain").agg(
        listed=known.sum(),
        unknown=groups.copies.sum(where=~known),
        again=(groups.copies - 1).sum(where=known),
    )
    rows = declared.group_by("domain").agg(entered=declared.count())
    return [
        Flow(
            CATALOGUE_TO_ITEMS,
            "items",
            row["entered"],
            {"listed": int(row["listed"] or 0)},
            {"unknown_item": int(row["unknown"] or 0), "listed_again": int(row["again"] or 0)},
            row["domain"],
            "catalogue",
        )
        for row in counts.join(rows, "domain").order_by("domain").to_pyarrow().to_pylist()
    ]


def _audience(
    con: Backend, config: PlatformConfig, pairs: Mapping[str, ibis.Table], users: ibis.Table
) -> ibis.Table:
    parts = []
    for domain, table in pairs.items():
        whole = config.domains[domain].audience == "platform"
        parts.append((users if whole else table).select("user", domain=ibis.literal(domain)))
    union = ibis.union(*parts, distinct=True) if len(parts) > 1 else parts[0].distinct()
    return con.create_table("audience", union.order_by("domain", "user"), temp=True)


def _named(con: Backend, nodes: ibis.Table, names: ibis.Table) -> tuple[ibis.Table, Flow]:
    """Adds display names to a node table; a node without one shows its id."""
    key, number = nodes.columns
    first = names.group_by(key).agg(name=names.name.min(), copies=names.count())
    first = con.create_table(f"names_of_{number}", first, temp=True)
    joined = nodes.left_join(first, key)
    named = joined.select(number, key, name=ibis.coalesce(joined.name, joined[key]), given=joined.copies)
    table = con.create_table(f"named_{number}", named.order_by(number), temp=True)
    strangers = first.anti_join(nodes, key)
    used, unused = (
        t.to_pyarrow().to_pylist()[0]
        for t in (
            table.aggregate(named=table.given.count(), again=(table.given - 1).sum()),
            strangers.aggregate(rows=strangers.copies.sum()),
        )
    )
    lost = {"unknown_node": int(unused["rows"] or 0), "another_name": int(used["again"] or 0)}
    entered = int(names.count().to_pyarrow().as_py())
    flow = Flow(NAMES_TO_NODES, "names", entered, {"named": used["named"]}, lost, source=f"{number}_names")
    return table.drop("given"), flow
