"""The platform's tables in the engine: nodes numbered densely, pairs split, edges with both ends known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import ibis
from ibis.backends.duckdb import Backend

from hier_dag.config.models import PlatformConfig
from hier_dag.graph.knowledge_graph import TEST, TRAIN, VALIDATION
from hier_dag.graph.splits import assign_splits, distinct_pairs


@dataclass
class GraphTables:
    """Tables of a platform, registered in one engine connection.

    Attributes:
        users, items, entities: dense number, original id and (items, entities) name of every node.
        pairs: per domain, dense pairs with their split and ranks.
        item_entity, entity_entity, social: edges in dense numbers.
        relations: relation names of `entity_entity.kind`, by number.
        catalogue, audience: (domain, item) and (domain, user).
        dropped: rows left out on the way, per stage and reason.
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
    ledger: dict[str, dict[str, int]] = field(default_factory=dict)


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
    pairs = {d: _pairs(con, config, d, files) for d, files in events.items()}
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
    ledger: dict[str, dict[str, int]] = {}
    dense = _hold_out_everywhere(con, _dense_pairs(con, pairs, users, items), ledger)
    return GraphTables(
        users=users,
        items=_named(con, items, raw["item_names"]),
        entities=_named(con, entities, raw["entity_names"]),
        pairs=dense,
        item_entity=_item_entity(con, raw["item_entity"], items, entities, ledger),
        entity_entity=_entity_entity(con, triples, entities, relations, ledger),
        relations=relations,
        social=_social(con, raw["user_user"], users, ledger),
        catalogue=_catalogue(con, dense, raw["catalogue"], items),
        audience=_audience(con, config, dense, users),
        ledger=ledger,
    )


_LINK_FILES = ("item_entity", "entity_entity", "user_user", "entity_names", "item_names", "catalogue")


def _parquet(con: Backend, path: Path) -> ibis.Table:
    return con.read_parquet(str(path))


def _pairs(con: Backend, config: PlatformConfig, domain: str, files: Sequence[Path]) -> ibis.Table:
    if not files:
        schema = {"user_id": "string", "item_id": "string", "event_time": "timestamp('UTC', 6)",
                  "position": "int64", "weight": "float32"}  # fmt: skip
        events = con.create_table(f"no_events_{domain}", schema=ibis.schema(schema), temp=True)
    else:
        events = con.read_parquet([str(f) for f in files])
    placed = assign_splits(distinct_pairs(events), config.split_of(domain))
    return con.create_table(f"pairs_{domain}", placed, temp=True)


def _number(con: Backend, name: str, ids: ibis.Table, number: str | None = None) -> ibis.Table:
    """Numbers distinct ids 0…n-1 in byte order of the id: the same ids always get the same numbers."""
    (column,) = ids.columns
    ids = ids.distinct()
    numbered = ids.mutate(ibis.row_number().over(order_by=ids[column]).name(number or name_of(column)))
    return con.create_table(name, numbered.order_by(number or name_of(column)), temp=True)


def name_of(id_column: str) -> str:
    """Column of the dense number that goes with an id column: user_id → user."""
    return id_column.removesuffix("_id")


def _dense_pairs(
    con: Backend, pairs: Mapping[str, ibis.Table], users: ibis.Table, items: ibis.Table
) -> dict[str, ibis.Table]:
    out = {}
    for domain, table in pairs.items():
        joined = table.join(users, "user_id").join(items, "item_id")
        out[domain] = con.create_table(
            f"dense_{domain}",
            joined.select(
                "user", "item", "split", "shot_rank", "share_rank", weight=joined.weight.cast("float32")
            ).order_by("user", "item"),
            temp=True,
        )
    return out


def _hold_out_everywhere(
    con: Backend, pairs: dict[str, ibis.Table], ledger: dict[str, dict[str, int]]
) -> dict[str, ibis.Table]:
    """Drops training pairs that another domain holds out: one shared item must not leak across domains."""
    held = ibis.union(
        *(p.filter(p.split != TRAIN).select("user", "item", domain=ibis.literal(d)) for d, p in pairs.items())
    )
    held = con.create_table("held_out", held, temp=True)
    out = {}
    for domain, table in pairs.items():
        elsewhere = held.filter(held.domain != domain).select("user", "item").distinct()
        train = table.filter(table.split == TRAIN)
        kept = ibis.union(train.anti_join(elsewhere, ["user", "item"]), table.filter(table.split != TRAIN))
        # Ranks are counted anew: one shot a user is the first pair that is left.
        order = ibis.window(group_by=[kept.user, kept.split], order_by=kept.shot_rank)
        rank = ibis.ifelse(kept.split == TRAIN, ibis.row_number().over(order) + 1, 0).cast("int32")
        kept = kept.mutate(shot_rank=rank)
        out[domain] = con.create_table(f"clean_{domain}", kept.order_by("user", "item"), temp=True)
        counts = out[domain].aggregate(
            total=out[domain].count(),
            train=(out[domain].split == TRAIN).sum(),
            validation=(out[domain].split == VALIDATION).sum(),
            test=(out[domain].split == TEST).sum(),
        )
        row = {k: int(v or 0) for k, v in counts.to_pyarrow().to_pylist()[0].items()}
        before = int(table.count().to_pyarrow().as_py())
        ledger[f"pairs:{domain}"] = {
            "pairs": before,
            "held_out_in_another_domain": before - row.pop("total"),
            **row,
        }
    return out


def _known(con: Backend, name: str, joined: ibis.Table, before: ibis.Table, reason: str,
           ledger: dict[str, dict[str, int]]) -> ibis.Table:  # fmt: skip
    table = con.create_table(name, joined, temp=True)
    rows_in, rows_out = (int(t.count().to_pyarrow().as_py()) for t in (before, table))
    ledger[name] = {"rows_in": rows_in, "rows_out": rows_out, reason: rows_in - rows_out}
    return table


def _item_entity(con: Backend, links: ibis.Table, items: ibis.Table, entities: ibis.Table,
                 ledger: dict[str, dict[str, int]]) -> ibis.Table:  # fmt: skip
    distinct = links.select("item_id", "entity_id").distinct()
    joined = distinct.join(items, "item_id").join(entities, "entity_id").select("item", "entity")
    return _known(
        con, "has_entity", joined.order_by("item", "entity"), links, "same_pair_other_relation", ledger
    )


def _entity_entity(
    con: Backend,
    triples: ibis.Table,
    entities: ibis.Table,
    relations: ibis.Table,
    ledger: dict[str, dict[str, int]],
) -> ibis.Table:
    """Triples as undirected edges: one that is stated in both directions is one edge, a loop is none."""
    heads = entities.select(head_number=entities.entity, head=entities.entity_id)
    tails = entities.select(tail_number=entities.entity, tail=entities.entity_id)
    joined = triples.join(heads, "head").join(tails, "tail").join(relations, "relation")
    ends = joined.head_number, joined.tail_number
    edges = joined.select(head=ibis.least(*ends), tail=ibis.greatest(*ends), kind=joined.kind)
    return _undirected(con, "entity_entity", edges, triples, "unknown_entity", ledger)


def _social(
    con: Backend, edges: ibis.Table, users: ibis.Table, ledger: dict[str, dict[str, int]]
) -> ibis.Table:
    ends = users.select(other=users.user, other_id=users.user_id)
    joined = edges.join(users, "user_id").join(ends, "other_id")
    pair = joined.select(
        user=ibis.least(joined.user, joined.other), other=ibis.greatest(joined.user, joined.other)
    )
    return _undirected(con, "social", pair, edges, "user_without_events", ledger)


def _undirected(
    con: Backend, name: str, edges: ibis.Table, before: ibis.Table, no_end: str,
    ledger: dict[str, dict[str, int]],
) -> ibis.Table:  # fmt: skip
    """Distinct edges (first column below the second, third the relation if any) with no loop among them."""
    a, b, *_ = edges.columns
    loops = edges[a] == edges[b]
    table = con.create_table(name, edges.filter(~loops).distinct().order_by(edges.columns), temp=True)
    counted = edges.aggregate(joined=edges.count(), loops=loops.sum()).to_pyarrow().to_pylist()[0]
    rows_in, rows_out = (int(t.count().to_pyarrow().as_py()) for t in (before, table))
    joined, self_edge = int(counted["joined"]), int(counted["loops"] or 0)
    ledger[name] = {
        "rows_in": rows_in,
        "rows_out": rows_out,
        no_end: rows_in - joined,
        "self_edge": self_edge,
        "same_edge_again": joined - self_edge - rows_out,
    }
    return table


def _catalogue(
    con: Backend, pairs: Mapping[str, ibis.Table], declared: ibis.Table, items: ibis.Table
) -> ibis.Table:
    seen = [p.select("item", domain=ibis.literal(d)) for d, p in pairs.items()]
    listed = declared.join(items, "item_id").select("item", "domain")
    return con.create_table(
        "catalogue", ibis.union(listed, *seen, distinct=True).order_by("domain", "item"), temp=True
    )


def _audience(
    con: Backend, config: PlatformConfig, pairs: Mapping[str, ibis.Table], users: ibis.Table
) -> ibis.Table:
    parts = []
    for domain, table in pairs.items():
        whole = config.domains[domain].audience == "platform"
        parts.append((users if whole else table).select("user", domain=ibis.literal(domain)))
    union = ibis.union(*parts, distinct=True) if len(parts) > 1 else parts[0].distinct()
    return con.create_table("audience", union.order_by("domain", "user"), temp=True)


def _named(con: Backend, nodes: ibis.Table, names: ibis.Table) -> ibis.Table:
    """Adds display names to a node table; a node without one shows its id."""
    key, number = nodes.columns
    first = names.group_by(key).agg(name=names.name.min())
    joined = nodes.left_join(first, key)
    named = joined.select(number, key, name=ibis.coalesce(joined.name, joined[key]))
    return con.create_table(f"named_{number}", named.order_by(number), temp=True)
