"""For every kind of constraint, a graph that must break it and how often: the canaries of the shapes."""

from dataclasses import replace as changed
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from benchmarks.faults.broken_graphs import rewrite_nodes, with_edges, with_relation, without
from hier_dag.config.shapes import Shapes
from hier_dag.graph import files
from schemas.shapes.constraints import constraints_of

SHAPES = """
- {node: User, property: id, minCount: 1, maxCount: 1, datatype: string, unique: true}
- {node: User, property: id, minLength: 2, maxLength: 3}
- {node: Item, property: name, minCount: 1, maxCount: 1, minLength: 2, severity: warning}
- {node: Entity, property: id, minCount: 1, maxCount: 1, datatype: string, unique: true}
- {relation: interacts, from: User, to: Item, maxPerPair: 1, weight: {minExclusive: 0, maxInclusive: 3}}
- {relation: "interacts:shop", weight: {minInclusive: 0.25, maxExclusive: 50}}
- {relation: has_entity, from: Item, to: Entity, maxPerPair: 2}
- {relation: has_entity, per: from, minCount: 1, maxCount: 7, severity: warning, message: 'no "link"'}
- {relation: entity_entity, from: Entity, to: Entity, maxPerPair: 1, symmetric: true, irreflexive: true}
- {relation: social, from: User, to: User, maxPerPair: 1, symmetric: true, irreflexive: true}
- {relation: "interacts:cafe", per: to, maxCount: 13}
"""


class Defect(NamedTuple):
    """A change of a sound graph.

    Attributes:
        graph: from a graph to a broken one.
        tables: changes the node tables in a folder.
        breaks: (kind, table) → how many nodes or edges break it.
    """

    breaks: dict[tuple[str, str], int]
    graph: Any = lambda g: g
    tables: Any = lambda _: None


def _on(relation, change):
    return lambda g: with_relation(g, relation, change)


def _weights(values):
    def change(csr):
        weights = csr.values.copy()
        weights[: len(values)] = values
        return changed(csr, values=weights)

    return change


def _first(csr, times, **what):
    """The first edge again, `times` times."""
    return with_edges(csr, [int(csr.row_of_entry()[0])] * times, [int(csr.indices[0])] * times, **what)


def _ids(kind, column, **changes):
    def change(folder):
        file = {"user": files.USERS, "item": files.ITEMS, "entity": files.ENTITIES}[kind]
        values = pq.read_table(folder / file)[column].to_pylist()
        for position, value in changes.items():
            values[int(position[1:])] = value
        rewrite_nodes(folder, kind, **{column: pa.array(values, pa.string())})

    return change


def _second_row(folder):
    """Entity 1 stated again with another id, entity 2 with its own."""
    table = pq.read_table(folder / files.ENTITIES)
    again = table.take([1, 2]).set_column(1, "entity_id", pa.array(["other", "e2"]))
    pq.write_table(pa.concat_tables([table, again]), folder / files.ENTITIES)


def _integer_ids(folder):
    rewrite_nodes(folder, "entity", entity_id=pa.array(range(10, 10 + _rows(folder)), pa.int64()))


def _rows(folder):
    return pq.read_metadata(folder / files.ENTITIES).num_rows


def _chosen_by_all(csr, item):
    """An item that every user chose."""
    there = np.unique(csr.row_of_entry()[csr.indices == item])
    rest = np.setdiff1d(np.arange(csr.rows), there)
    return with_edges(csr, rest, np.full(len(rest), item))


def _of_all(csr):
    """An item with every entity, one of them twice (which its relation allows)."""
    rest = np.setdiff1d(np.arange(csr.cols), csr.indices[csr.row_of_entry() == 3])
    return with_edges(csr, np.full(len(rest) + 1, 3), [*rest, 0])


USERS, ITEMS, ENTITIES = files.USERS, files.ITEMS, files.ENTITIES
ODD = 'a "\\\n\u0301\U0001f375\x7f'
BOUNDS = [f"{end}_{bound}" for end in ("min", "max") for bound in ("inclusive", "exclusive")]
DEFECTS: dict[str, Defect] = {
    "none": Defect({}),
    "no id": Defect({("min_count", USERS): 2}, tables=_ids("user", "user_id", _3=None, _5=None)),
    "two ids": Defect({("max_count", ENTITIES): 1}, tables=_second_row),
    "numbers as ids": Defect({("datatype", ENTITIES): 7}, tables=_integer_ids),
    "short and empty ids": Defect({("min_length", USERS): 2}, tables=_ids("user", "user_id", _0="", _1="x")),
    "a long id": Defect({("max_length", USERS): 1}, tables=_ids("user", "user_id", _4=ODD)),
    "one id thrice": Defect({("unique", USERS): 2}, tables=_ids("user", "user_id", _2="u9", _7="u9")),
    "no name": Defect(
        {("min_count", ITEMS): 1, ("min_length", ITEMS): 1}, tables=_ids("item", "name", _1=None, _2="x")
    ),
    "no such item": Defect(
        {("class", "interacts:shop"): 2}, _on("interacts:shop", lambda c: with_edges(c, [0, 1], [99, 100]))
    ),
    "no such user": Defect(
        {("class", "social"): 3, ("symmetric", "social"): 3},
        _on("social", lambda c: with_edges(c, [40, 40, 41], [0, 1, 2], size=42)),
    ),
    "an edge thrice": Defect(
        {("max_per_pair", "interacts:shop"): 2}, _on("interacts:shop", lambda c: _first(c, 2))
    ),
    "a link four times": Defect(
        {("max_per_pair", "has_entity"): 2}, _on("has_entity", lambda c: _first(c, 3))
    ),
    "a triple of one kind twice": Defect(
        {("max_per_pair", "entity_entity"): 1},
        _on("entity_entity", lambda c: _first(c, 1, kinds=int(c.kinds[0]))),
    ),
    "a triple of the other kind, one way": Defect(
        {("symmetric", "entity_entity"): 1},
        _on("entity_entity", lambda c: _first(c, 1, kinds=7)),
    ),
    "loops": Defect({("irreflexive", "social"): 2}, _on("social", lambda c: with_edges(c, [2, 5], [2, 5]))),
    "a loop of an entity": Defect(
        {("irreflexive", "entity_entity"): 1}, _on("entity_entity", lambda c: with_edges(c, 3, 3))
    ),
    "one way": Defect({("symmetric", "social"): 2}, _on("social", lambda c: without(c, [0, 1]))),
    "weights": Defect(
        {
            ("min_exclusive", "interacts:shop"): 3,
            ("min_inclusive", "interacts:shop"): 4,
            ("max_inclusive", "interacts:shop"): 2,
            ("max_exclusive", "interacts:shop"): 1,
        },
        _on("interacts:shop", _weights([0, -1, -2, 0.125, 3.5, 50.0])),
    ),
    "no weight at all": Defect(
        {(bound, "interacts:shop"): 1 for bound in BOUNDS},
        _on("interacts:shop", _weights([np.nan])),
    ),
    "an item that everyone chose": Defect(
        {("max_count", "interacts:cafe"): 1}, _on("interacts:cafe", lambda c: _chosen_by_all(c, 0))
    ),
    "an item of everything": Defect({("max_count", "has_entity"): 1}, _on("has_entity", _of_all)),
    "items without links": Defect(
        {("min_count", "has_entity"): 2},
        _on("has_entity", lambda c: without(c, np.flatnonzero(np.isin(c.row_of_entry(), [1, 4])))),
    ),
}  # fmt: skip


def constraints():
    return constraints_of(Shapes.model_validate({"shapes": yaml.safe_load(SHAPES)}).shapes)
