"""The figures that expectations are asked of, from a profile alone and from two profiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from math import sqrt

import numpy as np

from hier_dag.ingest.profile import EventProfile
from hier_dag.ingest.sketch import Sketch
from schemas.drift import ks, psi, psi_by_chance

LEAST_ROWS = 100
"""Rows (users, items) below which shares and histograms say nothing, and such a figure is not formed."""
LEAST_SHARE = 0.01
"""Share of the rows from which on a behaviour that is gone counts as lost."""
LEAST_REASON_SHARE = 0.001
_KS_95 = 1.36
"""√(n m / (n + m)) · KS stays below it in 95 % of pairs of draws from one distribution."""
_BURST_SLACK = 10
"""Events added to both sides of a ratio of bursts: from 1 to 11 in a day is no burst."""

Metrics = dict[str, float]


def own_metrics(profile: EventProfile, *, has_sources: bool = True) -> Metrics:
    """What a profile says by itself.

    Args:
        profile: of the version that is being built.
        has_sources: whether the domain declares logs at all; one that does not may well have no event.

    Returns:
        Metric name to value; a metric that has no meaning (shares of too few rows) is not there.
    """
    found: Metrics = {"rows": float(profile.rows)} if has_sources else {}
    if profile.rows >= LEAST_ROWS:
        found |= {"top_user_day": float(profile.top_user_day)} if profile.time.days else {}
        found["users_as_items"] = profile.users_as_items / min(profile.users, profile.items)
        days = list(profile.time.days)
        if len(days) > 1:
            found["gap_share"] = profile.time.longest_gap_days / (_days_between(days[0], days[-1]) + 1)
    if profile.users >= LEAST_ROWS:
        found["top_user_share"] = profile.top_user_rows / profile.rows
    if profile.rows_in >= LEAST_ROWS:
        found["quarantined_share"] = sum(profile.quarantined.values()) / profile.rows_in
    return found


def drift_metrics(now: EventProfile, last: EventProfile, *, same_weights: bool = True) -> Metrics:
    """How a version differs from the last accepted one.

    Args:
        now: the version that is being built.
        last: the domain's last accepted version.
        same_weights: whether behaviours are declared with the same weights, so that weights may be compared.

    Returns:
        Metric name to value; nothing where the last version has fewer than `LEAST_ROWS` rows.
    """
    if last.rows < LEAST_ROWS:
        return {}
    found = {
        "volume_ratio": now.rows / last.rows,
        "user_ratio": now.users / last.users,
        "item_ratio": now.items / last.items,
    }
    if now.rows < LEAST_ROWS:
        return found
    return (
        found
        | _ids(now, last)
        | _behaviors(now, last)
        | _distributions(now, last, same_weights)
        | _time(now, last)
        | _quality(now, last)
    )


def _ids(now: EventProfile, last: EventProfile) -> Metrics:
    found: dict[str, float | None] = {}
    for name, ours, theirs in (
        ("users", now.user_ids, last.user_ids),
        ("items", now.item_ids, last.item_ids),
    ):
        if min(ours.ids, theirs.ids) >= LEAST_ROWS:
            known = ours.share_in(theirs)
            found[f"new_{name}"] = None if known is None else 1 - known
            found[f"kept_{name}"] = theirs.share_in(ours)
    found["swapped_ids"] = _swapped(now, last)
    return {name: value for name, value in found.items() if value is not None}


def _swapped(now: EventProfile, last: EventProfile) -> float | None:
    """Rise in the share of ids on one side that were ids of the other side in the last version."""

    def rise(ours: Sketch, before: Sketch, other: Sketch) -> float | None:
        share, used = ours.share_in(other), before.share_in(other)
        return None if share is None or used is None else max(0.0, share - used)

    rises = (
        rise(now.user_ids, last.user_ids, last.item_ids),
        rise(now.item_ids, last.item_ids, last.user_ids),
    )
    return max((r for r in rises if r is not None), default=None)


def _behaviors(now: EventProfile, last: EventProfile) -> Metrics:
    lost = [b for b, n in last.behaviors.items() if n >= LEAST_SHARE * last.rows and not now.behaviors.get(b)]
    return {
        "behavior_psi": _psi(*_aligned(last.behaviors, now.behaviors)),
        "lost_behaviors": float(len(lost)),
        "new_behaviors": float(len(set(now.behaviors) - set(last.behaviors))),
    }


def _distributions(now: EventProfile, last: EventProfile, same_weights: bool) -> Metrics:
    pairs = {
        "user_activity": _padded(last.user_activity, now.user_activity),
        "item_activity": _padded(last.item_activity, now.item_activity),
    }
    if same_weights:
        pairs["weight"] = _aligned(last.weights, now.weights, order=int)
    if last.time.days and now.time.days:
        pairs["hour"] = (last.time.hours, now.time.hours)
    enough = {n: p for n, p in pairs.items() if min(map(sum, p)) >= LEAST_ROWS}
    return {f"{n}_psi": _psi(*p) for n, p in enough.items()} | {f"{n}_ks": _ks(*p) for n, p in enough.items()}


def _time(now: EventProfile, last: EventProfile) -> Metrics:
    found = {"timeless_growth": now.time.timeless / now.rows - last.time.timeless / last.rows}
    if now.time.last is None or last.time.last is None:
        return found
    late = datetime.fromisoformat(last.time.last) - datetime.fromisoformat(now.time.last)
    return found | {
        "days_ratio": len(now.time.days) / len(last.time.days),
        "lost_days": max(0.0, late.total_seconds() / 86_400),
        "gap_growth": float(now.time.longest_gap_days - last.time.longest_gap_days),
        "burst_growth": (now.top_user_day + _BURST_SLACK) / (last.top_user_day + _BURST_SLACK),
    }


def _quality(now: EventProfile, last: EventProfile) -> Metrics:
    if min(now.rows_in, last.rows_in) == 0:
        return {}
    least = LEAST_REASON_SHARE * now.rows_in
    new = [r for r, n in now.quarantined.items() if n >= least and not last.quarantined.get(r)]

    def share(profile: EventProfile) -> float:
        return sum(profile.quarantined.values()) / profile.rows_in

    return {
        "quarantined_growth": share(now) - share(last),
        "duplicate_growth": now.deduplicated / now.rows_in - last.deduplicated / last.rows_in,
        "new_reasons": float(len(new)),
    }


def _psi(before: Sequence[int], after: Sequence[int]) -> float:
    """PSI beyond twice what equal distributions show by chance at these sizes."""
    return max(0.0, psi(before, after) - 2 * psi_by_chance(before, after))


def _ks(before: Sequence[int], after: Sequence[int]) -> float:
    """KS beyond what 95 % of draws from equal distributions show at these sizes."""
    return max(0.0, ks(before, after) - _KS_95 * sqrt(1 / sum(before) + 1 / sum(after)))


def _padded(before: Sequence[int], after: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    size = max(len(before), len(after))
    padded = [np.pad(np.asarray(h, np.int64), (0, size - len(h))).tolist() for h in (before, after)]
    return padded[0], padded[1]


def _aligned(
    before: Mapping[str, int], after: Mapping[str, int], order: Callable[[str], int | str] = str
) -> tuple[Sequence[int], Sequence[int]]:
    bins = sorted(before.keys() | after.keys(), key=order)
    return [before.get(b, 0) for b in bins], [after.get(b, 0) for b in bins]


def _days_between(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days
