"""Entities of the sample platform, the triples between them, and the pool of each exemplar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from hier_dag.sample.params import SampleParams
from hier_dag.sample.streams import IntArray, stream
from hier_dag.sample.vocabulary import (
    BRAND_HEADS,
    BRAND_TAILS,
    EXEMPLARS,
    MODIFIERS,
    QUARTER_HEADS,
    QUARTER_TAILS,
)

_SECOND_NARROWER = ("dish", "product")  # types that get two narrower entities each
_BRANDS_PER_EXEMPLAR = 2
_SHARED_PER_EXEMPLAR = 2


@dataclass(frozen=True)
class Entities:
    """Every entity.

    Attributes:
        ids: original id of each entity.
        names: readable name.
        types: such as dish, brand or quarter.
        triples: (head, relation, tail) of original ids.
        pools: int64 [K, width], entities that items of an exemplar are described by, padded with -1.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    types: tuple[str, ...]
    triples: tuple[tuple[str, str, str], ...]
    pools: IntArray

    def table(self) -> pa.Table:
        """Columns entity_id, name, type."""
        return pa.table({"entity_id": self.ids, "name": self.names, "type": self.types})

    def triples_table(self) -> pa.Table:
        """Columns head, relation, tail."""
        heads, relations, tails = zip(*self.triples, strict=True)
        return pa.table({"head": heads, "relation": relations, "tail": tails})


def build_entities(params: SampleParams) -> Entities:
    """Names every entity and deals brands, quarters and shared entities out to the exemplars."""
    words = [entity for exemplar in EXEMPLARS for entity in exemplar.entities]
    base = list(dict.fromkeys(words))
    narrower = [(type_, f"{_modifier(type_, i, 0)} {name}") for i, (type_, name) in _narrowed(base)]
    second = [
        (type_, f"{_modifier(type_, i, 1)} {name}")
        for i, (type_, name) in _narrowed(base)
        if type_ in _SECOND_NARROWER
    ]
    brands = [("brand", f"{head} {tail}") for head in BRAND_HEADS for tail in BRAND_TAILS]
    quarters = [("quarter", f"{head} {tail} Quarter") for tail in QUARTER_TAILS for head in QUARTER_HEADS]
    districts = [("district", f"{tail} District") for tail in QUARTER_TAILS]
    listed = base + narrower + second + brands + quarters + districts
    number = {entity: i for i, entity in enumerate(listed)}
    ids = tuple(f"e{i:04d}" for i in range(len(listed)))

    triples = [(number[n], "subcategory_of", number[e]) for n, e in _parents(base, narrower, second)]
    first = [number[b] for b in brands]
    triples += [
        (first[i], "same_brand_family", first[i + 1])
        for i in range(len(brands) - 1)
        if (i + 1) % len(BRAND_TAILS)
    ]
    triples += [
        (number[q], "lies_in", number[districts[i // len(QUARTER_HEADS)]]) for i, q in enumerate(quarters)
    ]
    return Entities(
        ids=ids,
        names=tuple(name for _, name in listed),
        types=tuple(type_ for type_, _ in listed),
        triples=tuple((ids[h], relation, ids[t]) for h, relation, t in triples),
        pools=_pools(params, base, narrower, brands, quarters, number),
    )


def _narrowed(base: list[tuple[str, str]]) -> list[tuple[int, tuple[str, str]]]:
    return [(i, entity) for i, entity in enumerate(base) if entity[0] in MODIFIERS]


def _modifier(type_: str, i: int, shift: int) -> str:
    return MODIFIERS[type_][(i + shift) % len(MODIFIERS[type_])]


def _parents(
    base: list[tuple[str, str]], narrower: list[tuple[str, str]], second: list[tuple[str, str]]
) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    broad = [entity for _, entity in _narrowed(base)]
    twice = [entity for entity in broad if entity[0] in _SECOND_NARROWER]
    return [*zip(narrower, broad, strict=True), *zip(second, twice, strict=True)]


def _pools(
    params: SampleParams,
    base: list[tuple[str, str]],
    narrower: list[tuple[str, str]],
    brands: list[tuple[str, str]],
    quarters: list[tuple[str, str]],
    number: dict[tuple[str, str], int],
) -> IntArray:
    rng = stream(params.seed, "pools")
    child = {entity: n for n, (_, entity) in zip(narrower, _narrowed(base), strict=True)}
    pools: list[list[int]] = []
    for exemplar in EXEMPLARS:
        own = list(exemplar.entities)
        pool = own + [child[e] for e in own if e in child]
        # A few entities of other exemplars: no entity gives its exemplar away for certain.
        pool += [base[i] for i in rng.choice(len(base), _SHARED_PER_EXEMPLAR, replace=False)]
        pool += [brands[i] for i in rng.choice(len(brands), _BRANDS_PER_EXEMPLAR, replace=False)]
        pool.append(quarters[int(rng.integers(len(quarters)))])
        pools.append([number[entity] for entity in dict.fromkeys(pool)])
    padded = np.full((len(pools), max(map(len, pools))), -1, dtype=np.int64)
    for row, members in zip(padded, pools, strict=True):
        row[: len(members)] = members
    return padded
