"""Which columns above each column of a stage is computed from."""

from typing import Final

import dagster as dg

from assets.keys import ENCODER_KEY, EVENTS_KEY, GRAPH_KEY, LINKS_KEY, MODEL_KEY
from hier_dag.pipeline.stages import ENCODER, MODEL, PUBLISHED

Above = tuple[tuple[dg.AssetKey, str], ...]


def _of(asset: dg.AssetKey, *columns: str) -> Above:
    return tuple((asset, column) for column in columns)


_USER_IDS = _of(EVENTS_KEY, "user_id")
_ITEM_IDS = _of(EVENTS_KEY, "item_id") + _of(LINKS_KEY, "item_entity.item_id", "catalogue.item_id")
_ENTITY_IDS = _of(LINKS_KEY, "item_entity.entity_id", "entity_entity.head", "entity_entity.tail")
_TRIPLES = _of(LINKS_KEY, "entity_entity.head", "entity_entity.relation", "entity_entity.tail")
_PAIRS = _of(EVENTS_KEY, "user_id", "item_id")
_WHEN = _of(EVENTS_KEY, "event_time", "position")
_GRAPH: Final[dict[str, Above]] = {
    "users.user": _USER_IDS,
    "users.user_id": _USER_IDS,
    "items.item": _ITEM_IDS,
    "items.item_id": _ITEM_IDS,
    "items.name": _of(LINKS_KEY, "item_names.item_id", "item_names.name"),
    "entities.entity": _ENTITY_IDS,
    "entities.entity_id": _ENTITY_IDS,
    "entities.name": _of(LINKS_KEY, "entity_names.entity_id", "entity_names.name"),
    "relations.kind": _of(LINKS_KEY, "entity_entity.relation"),
    "relations.relation": _of(LINKS_KEY, "entity_entity.relation"),
    "audience.domain": _of(EVENTS_KEY, "user_id"),
    "audience.user": _of(EVENTS_KEY, "user_id"),
    "catalogue.domain": _of(EVENTS_KEY, "item_id") + _of(LINKS_KEY, "catalogue.domain"),
    "catalogue.item": _of(EVENTS_KEY, "item_id") + _of(LINKS_KEY, "catalogue.item_id"),
    "splits.user": _of(EVENTS_KEY, "user_id"),
    "splits.item": _of(EVENTS_KEY, "item_id"),
    "splits.split": _PAIRS + _WHEN,
    "splits.shot_rank": _PAIRS + _WHEN,
    "splits.share_rank": _PAIRS + _WHEN,
    "splits.weight": _of(EVENTS_KEY, "weight"),
    "splits.first": _of(EVENTS_KEY, "event_time"),
    "held_out.hash": _PAIRS + _WHEN,
    "edges.interacts": _PAIRS + _WHEN + _of(EVENTS_KEY, "weight"),
    "edges.has_entity": _of(LINKS_KEY, "item_entity.item_id", "item_entity.entity_id"),
    "edges.entity_entity": _TRIPLES,
    "edges.social": _of(LINKS_KEY, "user_user.user_id", "user_user.other_id"),
}  # fmt: skip

_TRAINED_ON = _of(GRAPH_KEY, "edges.interacts", "edges.has_entity", "edges.entity_entity", "edges.social")
_VALIDATED = _TRAINED_ON + _of(GRAPH_KEY, "splits.user", "splits.item", "splits.split")
_NAMED = _TRAINED_ON + _of(GRAPH_KEY, "entities.entity_id", "entities.name", "items.item_id", "items.name")
_ENCODED = _of(
    ENCODER_KEY,
    *("encoding.users", "encoding.items", "encoding.item_bias"),
    *("encoding.interactions", "encoding.profiles", "encoding.trust"),
)
_FEW_SHOT = _of(GRAPH_KEY, "edges.interacts", "splits.shot_rank", "splits.share_rank")
_SCORED = _ENCODED + _FEW_SHOT + _of(GRAPH_KEY, "splits.user", "splits.item", "splits.split")
_MODEL: Final[dict[str, Above]] = {
    "vectors.users": _of(GRAPH_KEY, "audience.user"),
    "vectors.user_vectors": _ENCODED + _FEW_SHOT,
    "vectors.user_origin": _of(ENCODER_KEY, "encoding.user_origin") + _of(GRAPH_KEY, "edges.interacts"),
    "vectors.items": _of(GRAPH_KEY, "catalogue.item"),
    "vectors.item_vectors": _ENCODED + _FEW_SHOT,
    "vectors.item_origin": _of(ENCODER_KEY, "encoding.item_origin") + _of(GRAPH_KEY, "edges.interacts"),
}

_PUBLISHED: Final[dict[str, Above]] = {
    "users.user_id": _of(MODEL_KEY, "vectors.users") + _of(GRAPH_KEY, "users.user_id"),
    "users.vector": _of(MODEL_KEY, "vectors.user_vectors"),
    "users.scale": _of(MODEL_KEY, "vectors.user_vectors"),
    "users.norm": _of(MODEL_KEY, "vectors.user_vectors"),
    "users.origin": _of(MODEL_KEY, "vectors.user_origin"),
    "items.item_id": _of(MODEL_KEY, "vectors.items") + _of(GRAPH_KEY, "items.item_id"),
    "items.name": _of(GRAPH_KEY, "items.name"),
    "items.vector": _of(MODEL_KEY, "vectors.item_vectors"),
    "items.scale": _of(MODEL_KEY, "vectors.item_vectors"),
    "items.norm": _of(MODEL_KEY, "vectors.item_vectors"),
    "items.origin": _of(MODEL_KEY, "vectors.item_origin"),
    "seen.user_id": _of(GRAPH_KEY, "splits.user", "users.user_id"),
    "seen.item_id": _of(GRAPH_KEY, "splits.item", "items.item_id"),
}


def lineage_of(kind: str, columns: dg.TableSchema) -> dg.TableColumnLineage:
    """Where every column of a stage comes from.

    Args:
        kind: `kg/graph`, `pretrain/encoder`, `finetune/model` or `publish/embeddings`: above the raw stages
            are files alone, which no asset stands for.
        columns: as `shown_columns` gives them.

    Raises:
        KeyError: a column that is not known here.
    """
    return dg.TableColumnLineage(
        {
            column.name: [dg.TableColumnDep(asset_key=k, column_name=n) for k, n in _above(kind, column.name)]
            for column in columns.columns
        }
    )


def _above(kind: str, column: str) -> Above:
    table, _, name = column.rpartition(".")
    if kind == PUBLISHED:
        # users.float16 and items.int8 hold the same vectors, smaller.
        return _PUBLISHED[f"{table.partition('.')[0]}.{name}"]
    if kind == MODEL:
        return _SCORED if table == "report" else _MODEL[column]
    if kind == ENCODER:
        return _of_encoder(table, name)
    return _GRAPH[column]


def _of_encoder(table: str, name: str) -> Above:
    """All of an encoder is learned from the edges together; what names or judges it uses more."""
    if table in ("curve", "rehearsal"):
        return _VALIDATED
    return _NAMED if name in ("entity_id", "entity_name", "item_id", "name", "family_name") else _TRAINED_ON
