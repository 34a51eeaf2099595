"""Rehearsal: every source plays the target of the others, to learn how far transfer may trust the crowd.

A target with a few dozen pairs cannot tell by leave-one-out whether its users follow the crowd of the
sources. Sources can: each is taken out of the users × items graph, its own pairs are dealt as few-shot pairs,
and the rest of them judge every scale of the crowd's terms. No interaction of a target is read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import scipy.sparse as sp  # type: ignore[import-untyped]
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray, IntArray
from hier_dag.graph.knowledge_graph import TRAIN, KnowledgeGraph
from hier_dag.model.crowd_trust import CrowdTrust
from hier_dag.model.encoding import Encoding
from hier_dag.model.entity_profiles import entity_profiles
from hier_dag.model.interactions import encode_interactions
from hier_dag.model.source_view import SourceView, source_history
from hier_dag.progress import Step, tell
from hier_dag.train.params import PretrainParams
from hier_dag.transfer.dual_head import dual_groups
from hier_dag.transfer.leave_one_out import Group
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.shots import Shots, draw_shots
from hier_dag.transfer.target import Target, make_target

TABLE = "rehearsal.parquet"
DENSITIES = (0.05, 0.1, 0.2, 0.4, 0.8)  # beyond them a target has evidence of its own
SCALES = (0.0, 0.0625, 0.125, 0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)
_FEWEST = 8  # few-shot pairs
_COLUMNS = 4_096  # items that a held-out pair is ranked among
_PAIRS_AT_ONCE = 1_024
_CUTOFF = 10


def rehearse(
    graph: KnowledgeGraph,
    view: SourceView,
    encoding: Encoding,
    params: PretrainParams,
) -> CrowdTrust | None:
    """NDCG@10 by source, few-shot density and scale of the crowd; among 4,096 items where there are more.

    Tastes, decision paths and entity profiles are made anew without the source that plays. Predicted
    popularity is the trained encoder's, which has seen the source's users: it is the same at every scale.
    Weights within the head are its defaults: whoever declares others should declare `crowd_prior` as well.

    Args:
        graph: sources and their training pairs.
        view: what the encoder was built on.
        encoding: of the trained encoder.
        params: sizes of the interaction encoding, and `rehearsal_pairs`: held-out pairs that judge a source.

    Returns:
        None where the formulation has no interaction encoding, fewer than two sources have pairs, or
        `rehearsal_pairs` is 0.
    """
    playing = players(graph)
    if encoding.interactions is None or len(playing) < 2 or params.rehearsal_pairs == 0:
        return None
    gains = []
    for done, source in enumerate(playing):
        tell(Step("pretrain/encoder", f"rehearsal: {source} plays the target", done, len(playing)))
        gains.append(_play(graph, view, encoding, params, source))
    return CrowdTrust(np.array(DENSITIES, np.float32), np.array(SCALES, np.float32), np.stack(gains))


def players(graph: KnowledgeGraph) -> list[str]:
    """The sources that have training pairs, in declared order: one table of gains each."""
    return [source for source in graph.sources if graph.interacts[source].nnz]


def rehearsal_table(trust: CrowdTrust, playing: Sequence[str]) -> pa.Table:
    """source, pairs_per_item, scale, ndcg and whether the scale is the prior there; densities known alone."""
    known = np.isfinite(trust.gains)
    source, density, scale = np.nonzero(known)
    priors = np.array([trust.prior(float(d)) for d in trust.densities], np.float32)
    return pa.table(
        {
            "source": np.array(playing, dtype=object)[source],
            "pairs_per_item": trust.densities[density],
            "scale": trust.scales[scale],
            "ndcg": trust.gains[known],
            "prior": np.isclose(trust.scales[scale], priors[density]),
        }
    )


def _play(
    graph: KnowledgeGraph, view: SourceView, encoding: Encoding, params: PretrainParams, source: str
) -> FloatArray:
    """Gains of one source, float32 [densities, scales]."""
    p = params
    history = source_history(graph, [s for s in graph.sources if s != source])
    blind = dataclasses.replace(
        encoding,
        interactions=encode_interactions(
            history, p.interaction_dim, p.intents, p.exemplars, p.seed, p.interaction_paths
        ),
        profiles=entity_profiles(view.entity_links(), history, p.profile_dim, p.seed),
    )
    target = make_target(graph, blind, source)
    every = draw_shots(graph, source, "all")
    order = _by_share_rank(graph, source)
    out = np.full((len(DENSITIES), len(SCALES)), np.nan, np.float32)
    for row, density in enumerate(DENSITIES):
        few = round(density * every.n_items)
        # As many pairs at least must be left to judge as were dealt.
        if few >= _FEWEST and 2 * few <= len(order):
            out[row] = _gains(target, every, order[:few], order[few:], p)
    return out


def _by_share_rank(graph: KnowledgeGraph, source: str) -> IntArray:
    """Order in which the source's training pairs are dealt, as positions in `draw_shots(…, "all")`."""
    pairs = graph.interactions[source]
    return np.argsort(pairs.share_rank[pairs.split == TRAIN], kind="stable")


def _gains(
    target: Target, every: Shots, dealt: IntArray, held: IntArray, params: PretrainParams
) -> FloatArray:
    """NDCG@10 of held-out pairs at every scale, float32 [scales], in blocks of pairs.

    Args:
        target: the source, encoded without itself.
        every: its training pairs.
        dealt: int64 [few], positions in `every` of the few-shot pairs.
        held: int64 [rest], positions of the others, of which `rehearsal_pairs` are drawn.
        params: `rehearsal_pairs` and `seed`.
    """
    shots = Shots("rehearsal", every.user[dealt], every.item[dealt], every.n_items)
    assert target.sides is not None  # the blind encoding has an interaction part
    groups = dual_groups(target, target.sides, shots, TransferParams())
    rng = np.random.default_rng(params.seed)
    held = np.sort(_sample(rng, held, params.rehearsal_pairs))
    columns = np.sort(_sample(rng, np.arange(every.n_items), _COLUMNS))
    known = _known(every, len(target.users))
    total = np.zeros(len(SCALES))
    for start in range(0, len(held), _PAIRS_AT_ONCE):
        block = held[start : start + _PAIRS_AT_ONCE]
        total += _gains_of(groups, known, every.user[block], every.item[block], columns)
    return (total / len(held)).astype(np.float32)


def _gains_of(
    groups: Mapping[str, Group], known: sp.csr_array, user: IntArray, item: IntArray, columns: IntArray
) -> NDArray[np.float64]:
    """Sums of 1/log2(1 + rank) within the cutoff at every scale, float64 [scales].

    Args:
        groups: of the head; `base` and `crowd` are read.
        known: users × items of all the source's training pairs: none of them competes.
        user: int64 [b], positions of the held-out pairs' users.
        item: int64 [b], of their items.
        columns: int64 [c], ascending positions of the items that compete.
    """
    # A pair's own item is scored whether it was drawn or not, and for that pair alone.
    shown = np.union1d(columns, item)
    at = (np.arange(len(item)), np.searchsorted(shown, item))
    hidden = known[user][:, shown].toarray() > 0
    hidden[:, ~np.isin(shown, columns)] = True
    hidden[at] = False
    base, crowd = (_scores(groups[name], user, shown) for name in ("base", "crowd"))
    base[hidden] = -np.inf
    out = np.zeros(len(SCALES))
    for place, value in enumerate(SCALES):
        scores = base + np.float32(value) * crowd
        own = scores[at][:, None]
        level = np.count_nonzero(scores == own, axis=1) - 1
        rank = np.count_nonzero(scores > own, axis=1) + 0.5 * level
        out[place] = np.where(rank < _CUTOFF, 1.0 / np.log2(2.0 + rank), 0.0).sum()
    return out


def _scores(group: Group, user: IntArray, columns: IntArray) -> FloatArray:
    """Weighted terms of some users for some items, float32 [b, c]."""
    total = np.zeros((len(user), len(columns)), np.float32)
    for term, weight in zip(group.terms, group.weights, strict=True):
        total += np.float32(weight) * (term.users[user] @ term.items[columns].T)
    return total


def _known(every: Shots, n_users: int) -> sp.csr_array:
    """Users × items of all the source's training pairs, ones, in CSR."""
    ones = np.ones(len(every.user), np.float32)
    return sp.csr_array((ones, (every.user, every.item)), shape=(n_users, every.n_items))


def _sample(rng: np.random.Generator, among: IntArray, most: int) -> IntArray:
    """All, or `most` of them without replacement, int64."""
    return among if len(among) <= most else rng.choice(among, most, replace=False)
