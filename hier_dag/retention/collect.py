"""Removes what need not stay, beside publishers and readers at work.

Whoever uses an artifact notes it before opening it (`hier_dag.store.staging.renew`). A clean-up looks at the
notes and takes artifacts away in one turn that it has alone, so that the next one to come finds an artifact
whole, or not at all and makes it again. What was taken lies in staging until the records were looked at once
more: what is referred to by then goes back to its place.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from hier_dag.errors import StoreError
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.publish.mirror import copy_set
from hier_dag.registry.decisions import COLLECTED
from hier_dag.retention.at_copies import AtCopies, CopySet, remove_at_copy
from hier_dag.retention.keep import staying
from hier_dag.retention.leftovers import TAKEN, Leftover, remove, taken_before
from hier_dag.retention.plan import Going, Retention
from hier_dag.retention.sizes import freed
from hier_dag.store import ArtifactStore
from hier_dag.store.shelves import Present, Shelves
from hier_dag.store.staging import staged_folder, turn


@dataclass(frozen=True)
class Collected:
    """What a clean-up did.

    Attributes:
        removed: artifacts.
        leftovers: what ended processes had left behind.
        given_back: artifacts that were referred to while they were being removed; they stay.
        freed: bytes on disk here.
        at_copies: sets that were removed at copies, and places that could not be asked.
    """

    removed: tuple[Going, ...]
    leftovers: tuple[Leftover, ...]
    given_back: tuple[Present, ...]
    freed: int
    at_copies: AtCopies


def collect(retention: Retention, now: datetime) -> Collected:
    """Removes what `Retention.plan` says; what is removed is recorded as decisions of kind `collected`.

    Where anything goes wrong, whatever is not on record as removed goes back to its place.

    Args:
        retention: of the platform.
        now: UTC.

    Raises:
        RegistryError: the registry cannot be used, or is not the one of this store.
    """
    store, shelves = retention.home.store, retention.shelves
    shelves.look()  # manifests are read before others are kept waiting
    with staged_folder(store, TAKEN) as trash:
        recorded: set[str] = set()
        try:
            taken, leftovers = _take_away(retention, trash, now)
            removed, wanted = _looked_at_again(retention, taken, now)
            for g in removed:
                about = g.artifact.partition or ""
                retention.registry.decide(about, COLLECTED, g.artifact.digest, why=g.why)
                recorded.add(g.artifact.digest)
        except BaseException:
            _give_back(shelves, (a for a in shelves.look(trash) if a.digest not in recorded))
            raise
        room = freed([*(g.artifact.path for g in removed), *(left.path for left in leftovers)])
        for left in leftovers:
            remove(left.path)
    return Collected(tuple(removed), leftovers, wanted, room, _collect_at_copies(retention, now))


def _collect_at_copies(retention: Retention, now: datetime) -> AtCopies:
    """Removes sets at copies; what an alias came back to meanwhile is copied there again."""
    planned = retention.at_copies(now)
    removed: list[CopySet] = []
    unreached = list(planned.unreached)
    for gone in planned.going:
        try:
            remove_at_copy(gone)
        except StoreError as error:
            unreached.append(f"{gone.place}: {error.message}")
            continue
        why = f"{gone.why}; at {gone.place}"
        retention.registry.decide(gone.partition or "", COLLECTED, gone.digest, why=why)
        removed.append(gone)
    kept = retention.kept(now) if removed else {}
    store = ArtifactStore(retention.home.store)
    for wanted in (gone for gone in removed if gone.digest in kept):
        copy_set(store.at_hand(PUBLISHED, wanted.digest), wanted.place)
    return AtCopies(tuple(g for g in removed if g.digest not in kept), tuple(unreached))


def _take_away(retention: Retention, trash: Path, now: datetime) -> tuple[list[Going], tuple[Leftover, ...]]:
    """Moves what need not stay out of everybody's sight, each artifact in one step."""
    store, shelves = retention.home.store, retention.shelves
    with turn(store, alone=True):
        for folder in taken_before(store):
            _give_back(shelves, shelves.look(folder))
            remove(folder)
        facts = retention.facts(now)
        going = retention.going(facts, staying(facts, retention.rules, now), now)
        return [_take(g, trash) for g in going], retention.leftovers(now)


def _take(g: Going, trash: Path) -> Going:
    place = trash / g.artifact.kind / g.artifact.digest
    place.parent.mkdir(parents=True, exist_ok=True)
    os.rename(g.artifact.path, place)
    return replace(g, artifact=replace(g.artifact, path=place))


def _looked_at_again(
    retention: Retention, taken: list[Going], now: datetime
) -> tuple[list[Going], tuple[Present, ...]]:
    """What may be removed still, and what goes back to its place."""
    with turn(retention.home.store, alone=True):
        facts = retention.facts(now, [g.artifact for g in taken])
        kept = staying(facts, retention.rules, now)
        wanted = tuple(g.artifact for g in taken if g.artifact.digest in kept)
        _give_back(retention.shelves, wanted)
    return [g for g in taken if g.artifact.digest not in kept], wanted


def _give_back(shelves: Shelves, artifacts: Iterable[Present]) -> None:
    for a in artifacts:
        place = shelves.place(a.kind, a.digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():  # else it was made again meanwhile: the same bytes
            os.rename(a.path, place)
