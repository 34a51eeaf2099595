"""What must stay, and why: the rule of retention, on facts alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hier_dag.pipeline.stages import RESULT
from hier_dag.retention.records import Records, Version
from hier_dag.store.shelves import Present

_BEFORE_WORK = timedelta(hours=1)

POINTED, ROLL_BACK, PINNED = "an alias points to it", "kept for a roll-back", "pinned"
NEWEST, RECENT, RESULTS = "newest of its kind", "used recently", "results of a graph that stays"
ANCESTOR = "something that stays was made from it"
REASONS = (POINTED, ROLL_BACK, PINNED, NEWEST, RECENT, RESULTS, ANCESTOR)


@dataclass(frozen=True)
class Rules:
    """How long things stay.

    Attributes:
        keep: sets of each alias, the one it points to included; at least 1.
        grace: how long what was made, asked for, opened or left by an alias stays.
    """

    keep: int
    grace: timedelta


@dataclass(frozen=True)
class Facts:
    """All that the rule looks at.

    Attributes:
        records: of the registry.
        present: artifacts in the store.
        named: digests of the newest sets of each alias, as its files say.
        asked_for: whether a platform's declaration wants the newest answer of a kind and partition.
        at_work_since: when the oldest work began that a process is still at; None without any.
    """

    records: Records
    present: tuple[Present, ...]
    named: frozenset[str]
    asked_for: Callable[[str, str, str | None], bool]
    at_work_since: datetime | None = None


def staying(facts: Facts, rules: Rules, now: datetime) -> dict[str, str]:
    """Digests that must stay, each with the first of `REASONS` that holds.

    Work in progress was handed its parents when it began or later, so that as long as a process is at it,
    whatever was used since then counts as used recently.

    Args:
        facts: what is there, and what is on record.
        rules: how long things stay.
        now: UTC.
    """
    since = now - rules.grace
    if facts.at_work_since is not None:
        since = min(since, facts.at_work_since - _BEFORE_WORK)
    kept: dict[str, str] = {}
    for reason, digests in (
        (POINTED, _versions(facts.records.versions, 1)),
        (ROLL_BACK, (*_versions(facts.records.versions, rules.keep), *facts.named)),
        (PINNED, facts.records.pinned),
        (NEWEST, _newest(facts)),
        (RECENT, (digest for digest, at in used_at(facts).items() if at > since)),
    ):
        _add(kept, digests, reason)
    parents = _parents(facts)
    _add(kept, _ancestors(kept, parents), ANCESTOR)
    _add(kept, _results(facts.records, parents, kept), RESULTS)
    return kept


def used_at(facts: Facts) -> dict[str, datetime]:
    """When each artifact was last made, asked for, opened, or left by an alias, UTC."""
    found = dict(facts.records.used_at)
    for a in facts.present:
        found[a.digest] = max(a.used_at, found.get(a.digest, datetime.min.replace(tzinfo=UTC)))
    return found


def _add(kept: dict[str, str], digests: Iterable[str], reason: str) -> None:
    for digest in list(digests):
        kept.setdefault(digest, reason)


def _versions(versions: Iterable[Version], keep: int) -> Iterator[str]:
    """The newest sets of every alias: a set that it came back to counts once."""
    sets: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    for v in versions:
        sets[v.platform, v.domain, v.alias].setdefault(v.digest)
    for digests in sets.values():
        yield from list(digests)[:keep]


def _newest(facts: Facts) -> Iterator[str]:
    for a in facts.records.newest:
        if a.kind != RESULT and facts.asked_for(a.platform, a.kind, a.partition):
            yield a.digest


def _results(records: Records, parents: Mapping[str, set[str]], kept: Mapping[str, str]) -> Iterator[str]:
    """Figures that studies share: a cell that is not done yet may need them, as long as their graph stays."""
    for a in records.newest:
        if a.kind == RESULT and parents[a.digest] <= kept.keys():
            yield a.digest


def _parents(facts: Facts) -> Mapping[str, set[str]]:
    """Parents as the registry and the manifests name them."""
    found: dict[str, set[str]] = defaultdict(set)
    for digest, parents in facts.records.parents.items():
        found[digest] |= parents
    for a in facts.present:
        found[a.digest] |= a.parents
    return found


def _ancestors(digests: Iterable[str], parents: Mapping[str, set[str]]) -> set[str]:
    """Everything that something was made from, over any number of steps."""
    found: set[str] = set()
    left = list(digests)
    while left:
        new = parents[left.pop()] - found
        found |= new
        left += new
    return found
