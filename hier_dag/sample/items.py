"""Items of one service: exemplars, entities, popularity and names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hier_dag.sample.decisions import kind_affinity
from hier_dag.sample.entities import Entities
from hier_dag.sample.params import SampleParams
from hier_dag.sample.services import SERVICES, Service
from hier_dag.sample.streams import FloatArray, IntArray, WeightedChoice, stream
from hier_dag.sample.vocabulary import ADJECTIVES

_MIN_ITEMS = 8
_PLAIN = 0.05  # items of no exemplar
_SECOND_EXEMPLAR = 0.15
_DESCRIBED_BY = (2, 3, 4)  # entities of an item that come from its exemplar
_STRAY = (0.4, 0.4, 0.2)  # shares of items with 0, 1 and 2 entities that have nothing to do with it
_ZIPF_EXPONENT, _ZIPF_OFFSET = 0.85, 4.0


@dataclass(frozen=True)
class Items:
    """Items of one service, by number.

    Attributes:
        ids: original ids, such as fd_00012.
        names: readable names.
        popularity: float64 [items], sums to 1.
        exemplar_item, exemplar: int64, the planted exemplars of items, as pairs.
        entity_item, entity: int64, the distinct item–entity links, as pairs.
    """

    ids: pa.Array
    names: pa.Array
    popularity: FloatArray
    exemplar_item: IntArray
    exemplar: IntArray
    entity_item: IntArray
    entity: IntArray


def build_items(params: SampleParams, service: Service, entities: Entities) -> Items:
    """Draws one service's catalogue."""
    rng = stream(params.seed, "items", SERVICES.index(service))
    n = max(_MIN_ITEMS, round(params.items * service.item_share))
    exemplar_item, exemplar = _exemplars(rng, service, n)
    popularity = 1.0 / (rng.permutation(n) + _ZIPF_OFFSET) ** _ZIPF_EXPONENT
    entity_item, entity, leading = _entities(rng, entities, exemplar_item, exemplar, n)
    number = pc.utf8_lpad(pc.cast(pa.array(np.arange(n)), pa.string()), max(5, len(str(n))), "0")
    return Items(
        ids=pc.binary_join_element_wise(service.prefix, number, "_"),
        names=_names(rng, service, entities, leading),
        popularity=popularity / popularity.sum(),
        exemplar_item=exemplar_item,
        exemplar=exemplar,
        entity_item=entity_item,
        entity=entity,
    )


def _exemplars(rng: np.random.Generator, service: Service, n: int) -> tuple[IntArray, IntArray]:
    affinity = kind_affinity(service)
    quota = WeightedChoice(affinity)
    first = rng.permutation(quota.draw((np.arange(n) + 0.5) / n))
    second = quota.draw(rng.random(n))
    some = np.flatnonzero(rng.random(n) >= _PLAIN)
    both = np.flatnonzero((rng.random(n) < _SECOND_EXEMPLAR) & (first != second))
    both = np.intersect1d(both, some)
    return np.concatenate([some, both]), np.concatenate([first[some], second[both]])


def _entities(
    rng: np.random.Generator, entities: Entities, item: IntArray, exemplar: IntArray, n: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Links as distinct pairs, and the entity that each item is named after."""
    pool = entities.pools[exemplar]
    keys = np.where(pool >= 0, rng.random(pool.shape), 2.0)
    drawn = np.take_along_axis(pool, np.argsort(keys, axis=1), axis=1)[:, : max(_DESCRIBED_BY)]
    kept = np.arange(drawn.shape[1]) < rng.choice(_DESCRIBED_BY, len(drawn))[:, None]
    every = rng.integers(len(entities.ids), size=(n, 2))
    strays = np.arange(2) < rng.choice(3, n, p=_STRAY)[:, None]
    has_exemplar = np.bincount(item, minlength=n) > 0
    strays[~has_exemplar] = True
    leading = every[:, 0].copy()
    leading[item[::-1]] = drawn[::-1, 0]  # reversed: the first exemplar of an item names it
    link_item = np.concatenate([np.broadcast_to(item[:, None], drawn.shape)[kept], np.nonzero(strays)[0]])
    link_entity = np.concatenate([drawn[kept], every[strays]])
    code = np.unique(link_item * len(entities.ids) + link_entity)
    return code // len(entities.ids), code % len(entities.ids), leading


def _names(rng: np.random.Generator, service: Service, entities: Entities, leading: IntArray) -> pa.Array:
    adjective = pa.array(ADJECTIVES).take(pa.array(rng.integers(len(ADJECTIVES), size=len(leading))))
    noun = pa.array(service.nouns).take(pa.array(rng.integers(len(service.nouns), size=len(leading))))
    entity = pa.array(entities.names).take(pa.array(leading))
    return pc.binary_join_element_wise(adjective, entity, noun, " ")
