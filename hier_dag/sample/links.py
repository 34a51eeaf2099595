"""Writes what the services share: entities, triples, item–entity links, names and friendships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from hier_dag.sample.entities import Entities
from hier_dag.sample.items import Items
from hier_dag.sample.params import SampleParams
from hier_dag.sample.users import Users, build_friends, user_ids

_BLOCK_EDGES = 1_048_576


def write_links(folder: Path, entities: Entities, catalogues: dict[str, Items]) -> None:
    """Writes entities.csv, entity_entity.csv, item_entity.parquet and items.parquet."""
    pacsv.write_csv(entities.table(), folder / "entities.csv")
    pacsv.write_csv(entities.triples_table(), folder / "entity_entity.csv")
    entity_ids = pa.array(entities.ids)
    links = [
        pa.table(
            {
                "item_id": items.ids.take(pa.array(items.entity_item)),
                "entity_id": entity_ids.take(pa.array(items.entity)),
            }
        )
        for items in catalogues.values()
    ]
    names = [
        pa.table(
            {
                "item_id": items.ids,
                "name": items.names,
                "domain": pa.array([domain]).take(pa.array(np.zeros(len(items.ids), dtype=np.int64))),
            }
        )
        for domain, items in catalogues.items()
    ]
    pq.write_table(pa.concat_tables(links), folder / "item_entity.parquet")
    pq.write_table(pa.concat_tables(names), folder / "items.parquet")


def write_catalogue(path: Path, items: Items) -> None:
    """Writes the catalogue of a service that has no log: item_id."""
    pacsv.write_csv(pa.table({"item_id": items.ids}), path)


def write_friends(folder: Path, params: SampleParams, users: Users) -> int:
    """Writes friends.parquet (user_id, friend_id), each friendship once.

    Returns:
        The number of friendships.
    """
    user, other = build_friends(params, users)
    schema = pa.schema([("user_id", pa.string()), ("friend_id", pa.string())])
    with pq.ParquetWriter(folder / "friends.parquet", schema, compression="zstd") as writer:
        for start in range(0, len(user), _BLOCK_EDGES):
            part = slice(start, start + _BLOCK_EDGES)
            ids = [user_ids(ends[part], params.users) for ends in (user, other)]
            writer.write_table(pa.Table.from_arrays(ids, schema=schema))
    return len(user)
