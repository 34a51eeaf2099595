"""Reads the decision paths of an interaction encoding: names from entities, else from items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp  # type: ignore[import-untyped]
from numpy.typing import NDArray

from hier_dag.evaluate.interpret.characteristic import Scores, characteristic
from hier_dag.evaluate.interpret.families import intent_families
from hier_dag.evaluate.interpret.reading import Exemplar, Family, Intent, Ranked, Reading, joined
from hier_dag.graph.csr import CSR, FloatArray
from hier_dag.model.interactions import InteractionEncoding

_LISTED = 10  # entities, items and paths kept of each list
_ITEM_NAMES = 2  # items in the name of an exemplar that no entity tells apart
Strings = NDArray[np.object_]


@dataclass(frozen=True)
class Words:
    """What numbers are called; an id where there is no name.

    Attributes:
        entities: str object array [n_entities].
        items: str object array [n_items].
    """

    entities: Strings
    items: Strings


def read_paths(encoding: InteractionEncoding, history: CSR, links: CSR, words: Words) -> Reading:
    """Names exemplars, intents and families of intents, and lists what they lead to. Deterministic.

    An item is a member of its nearest exemplar. An exemplar is named after the entities that its members have
    more of than the platform's source items, by log-odds weighted by membership; an intent after those that
    its paths lead to more than the average intent's. Where no entity stands out, as where there is none, the
    most visited items name an exemplar and the exemplars at the end of its paths an intent.

    Args:
        encoding: of the sources' users × items graph.
        history: users × items, source training interactions.
        links: items × entities.
        words: names.
    """
    members = _members(encoding)
    visits = np.bincount(history.indices, minlength=history.cols)
    held = _sparse(links)
    counts, support = _dense(members.T @ held), _dense((members.T > 0).astype(np.float64) @ held)
    size = np.diff(members.tocsc().indptr)
    exemplars = _exemplars(characteristic(counts, support, _LISTED), members, visits, size, words)
    strength = _mean_strength(encoding.intents)
    family = intent_families(encoding.paths, encoding.exemplars)
    reached = _reached(encoding.paths, size)
    intents = _intents(
        characteristic(reached @ counts, reached @ support, _LISTED),
        encoding.paths, exemplars, strength, family, words,
    )  # fmt: skip
    return Reading(exemplars, intents, _families(intents, reached, counts, support, words))


def _members(encoding: InteractionEncoding) -> sp.csr_array:
    """e_jk of each source item's nearest exemplar, float64 [n_items, K]; an average member counts as 1."""
    soft = encoding.memberships()
    nearest = soft.argmax(axis=1)
    weight = soft[np.arange(len(soft)), nearest].astype(np.float64)
    item = np.flatnonzero(weight)
    weight = weight[item] / (weight[item].mean() if len(item) else 1.0)
    return sp.csr_array((weight, (item, nearest[item])), shape=soft.shape)


def _sparse(links: CSR) -> sp.csr_array:
    return sp.csr_array((np.ones(links.nnz), links.indices, links.indptr), shape=(links.rows, links.cols))


def _dense(x: sp.csr_array) -> Scores:
    return np.asarray(x.toarray(), dtype=np.float64)


def _exemplars(
    entities: list[list[tuple[int, float]]],
    members: sp.csr_array,
    visits: NDArray[np.int64],
    size: NDArray[np.int64],
    words: Words,
) -> tuple[Exemplar, ...]:
    columns, found = members.tocsc(), []
    for k, top in enumerate(entities):
        own = columns.indices[columns.indptr[k] : columns.indptr[k + 1]]
        most = own[np.argsort(-visits[own], kind="stable")][:_LISTED]
        items = tuple(Ranked(int(j), str(words.items[j]), float(visits[j])) for j in most)
        named = _entities(top, words)
        name = joined(e.name for e in named) or joined((i.name for i in items), _ITEM_NAMES)
        found.append(Exemplar(k, name or f"exemplar {k}", named, items, int(size[k])))
    return tuple(found)


def _mean_strength(intents: FloatArray) -> Scores:
    known = intents.any(axis=1)
    return (
        np.asarray(intents[known].mean(axis=0, dtype=np.float64))
        if known.any()
        else np.zeros(intents.shape[1])
    )


def _reached(paths: FloatArray, size: NDArray[np.int64]) -> Scores:
    """How much of an exemplar's counts are an intent's, float64 [P, K].

    An intent leads to an item of exemplar k with probability φ_pk/size_k; it counts for as many items as its
    open paths reach, so that few items are weak evidence.
    """
    items = (paths > 0) @ size.astype(np.float64)
    return np.asarray(paths / np.maximum(size, 1) * items[:, None], dtype=np.float64)


def _intents(
    entities: list[list[tuple[int, float]]],
    paths: FloatArray,
    exemplars: tuple[Exemplar, ...],
    strength: Scores,
    family: NDArray[np.int64],
    words: Words,
) -> tuple[Intent, ...]:
    found = []
    for p, top in enumerate(entities):
        order = np.argsort(-paths[p], kind="stable")[:_LISTED]
        leads = tuple(Ranked(int(k), exemplars[k].name, float(paths[p, k])) for k in order if paths[p, k] > 0)
        named = _entities(top, words)
        name = joined(e.name for e in named) or (leads[0].name if leads else "")
        found.append(Intent(p, name or f"intent {p}", named, leads, float(strength[p]), int(family[p])))
    return tuple(found)


def _families(
    intents: tuple[Intent, ...], reached: Scores, counts: Scores, support: Scores, words: Words
) -> tuple[Family, ...]:
    family = np.array([intent.family for intent in intents])
    strength = np.array([intent.strength for intent in intents])
    weight = np.zeros((int(family.max()) + 1, len(intents)))
    weight[family, np.arange(len(intents))] = np.maximum(strength, 1e-9)
    weight /= weight.sum(axis=1, keepdims=True)
    share = weight @ reached
    found = []
    for f, top in enumerate(characteristic(share @ counts, share @ support, _LISTED)):
        own = sorted(np.flatnonzero(family == f), key=lambda p: (-strength[p], p))
        named = _entities(top, words)
        name = joined(e.name for e in named) or intents[own[0]].name
        found.append(Family(f, name, named, tuple(int(p) for p in own), float(strength[own].sum())))
    return tuple(found)


def _entities(top: list[tuple[int, float]], words: Words) -> tuple[Ranked, ...]:
    return tuple(Ranked(e, str(words.entities[e]), score) for e, score in top)
