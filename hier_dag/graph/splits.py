"""Divides a domain's distinct (user, item) pairs into training, validation and test, inside the engine."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import ibis

from hier_dag.config.splits import GlobalTimeSplit, SeededHashSplit, Split
from hier_dag.graph.knowledge_graph import TEST, TRAIN, VALIDATION

_HASH_DIGITS = 13  # hex digits of an MD5 that a float64 holds exactly: 52 bits


def global_cut(splits: Iterable[Split]) -> datetime | None:
    """The instant from which on pre-training may know nothing; None where no domain is split by time.

    It is the earliest `validation_from` of all domains: what one domain holds out of its future must not come
    back to it through the present of another.
    """
    return min((s.validation_from for s in splits if isinstance(s, GlobalTimeSplit)), default=None)


def known_until(role: str, split: Split, cut: datetime | None) -> datetime | None:
    """The instant from which on a domain's training pairs may know nothing; None where they may know all.

    That is the platform's cut for a source, which pre-training reads, and a target's own `validation_from`.
    """
    if role == "source":
        return cut
    return split.validation_from if isinstance(split, GlobalTimeSplit) else None


def distinct_pairs(events: ibis.Table, until: datetime | None = None) -> ibis.Table:
    """The distinct pairs of one domain's canonical events.

    Args:
        events: canonical events.
        until: a pair that began before it is described by its events before it alone.

    Returns:
        user_id, item_id, first (timestamp or null), position (int64 or null), weight (float64, summed),
        events (int64, how many there are, later ones too).
    """
    weight = events.weight.cast("float64")
    position, strength = events.position.min(), weight.sum()
    if until is not None:
        before = events.event_time < ibis.literal(until)
        # A pair without an event before it is held out, dropped or undated: then all there is describes it.
        position = ibis.ifelse(before.any(), events.position.min(where=before), position)
        strength = ibis.coalesce(weight.sum(where=before), strength)
    return events.group_by("user_id", "item_id").agg(
        first=events.event_time.min(), position=position, weight=strength, events=events.count()
    )


def assign_splits(pairs: ibis.Table, split: Split) -> ibis.Table:
    """Adds split (int8), shot_rank (int32) and share_rank (float64 in [0, 1)) to distinct pairs.

    Every order is total and drawn from the ids themselves, so that neither row order nor dense numbers
    matter, and a pair keeps its place when others arrive elsewhere.
    """
    seed = split.seed if isinstance(split, SeededHashSplit) else 0
    key = pairs.user_id.concat("\x1f", pairs.item_id, f"\x1f{seed}")
    pairs = pairs.mutate(pair_hash=key.hexdigest("md5"))
    placed = _by_time(pairs, split) if isinstance(split, GlobalTimeSplit) else _by_user(pairs, split)
    train = placed.split == TRAIN
    within_user = ibis.window(
        group_by=[placed.user_id, placed.split], order_by=[placed.first, placed.position, placed.pair_hash]
    )
    if isinstance(split, SeededHashSplit):
        within_user = ibis.window(group_by=[placed.user_id, placed.split], order_by=placed.pair_hash)
    return placed.mutate(
        shot_rank=ibis.ifelse(train, ibis.row_number().over(within_user) + 1, 0).cast("int32"),
        share_rank=_unit_interval(placed.pair_hash),
    )


def _unit_interval(hexdigest: ibis.Value) -> ibis.Value:
    # The digest's *last* digits: its first decide the order, and the two draws must not be one.
    digits = ibis.literal("0x").concat(hexdigest.right(_HASH_DIGITS)).cast("int64")
    return digits.cast("float64") / float(16**_HASH_DIGITS)


def _by_time(pairs: ibis.Table, split: GlobalTimeSplit) -> ibis.Table:
    place = ibis.cases(
        (pairs.first < ibis.literal(split.validation_from), TRAIN),
        (pairs.first < ibis.literal(split.test_from), VALIDATION),
        else_=TEST,
    )
    return pairs.mutate(split=place.cast("int8"))


def _by_user(pairs: ibis.Table, split: Any) -> ibis.Table:
    """Per user: the last ceil(test · n) test; of the rest, a `validation` share just before them validates.

    The fraction of a pair that a small user would owe to validation is drawn by the user's hash, so that
    the share holds over the domain although most users have few pairs.
    """
    order = [pairs.pair_hash]
    if not isinstance(split, SeededHashSplit):
        order = [pairs.first, pairs.position, pairs.pair_hash]
    ranked = pairs.mutate(
        rank=ibis.row_number().over(ibis.window(group_by=pairs.user_id, order_by=order)),
        n=pairs.count().over(ibis.window(group_by=pairs.user_id)),
        draw=_unit_interval(pairs.user_id.concat("\x1fvalidation").hexdigest("md5")),
    )
    ranked = ranked.mutate(n_test=(ranked.n * split.test - 1e-9).ceil().cast("int64"))
    rest = ranked.n - ranked.n_test
    ranked = ranked.mutate(n_train=rest - (rest * split.validation + ranked.draw).floor().cast("int64"))
    place = ibis.cases(
        (ranked["rank"] < ranked.n_train, TRAIN),
        (ranked["rank"] < ranked.n - ranked.n_test, VALIDATION),
        else_=TEST,
    )
    return ranked.mutate(split=place.cast("int8")).drop("rank", "n", "draw", "n_test", "n_train")
