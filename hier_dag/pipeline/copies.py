"""What is in force, read again at home and at every copy; what is damaged there is written again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hier_dag.errors import HierError
from hier_dag.pipeline.policy import Policy
from hier_dag.pipeline.published_sets import live_set
from hier_dag.pipeline.workshop import Workshop
from hier_dag.publish.aliases import AliasRecords
from hier_dag.publish.checking import damaged_files
from hier_dag.publish.mirror import copy_set
from hier_dag.registry import AliasRow

RECORD = "version record"
"""How the record of the version in force is called among damaged files."""


@dataclass(frozen=True)
class AtPlace:
    """What became of a version at one place.

    Attributes:
        domain: the target.
        version: in force.
        digest: of its set.
        place: folder or URL.
        damaged: names of files that were missing or damaged.
        repaired: whether they were written again, and read again since.
        error: why the place could not be read or repaired; empty where it could.
    """

    domain: str
    version: int
    digest: str
    place: str
    damaged: tuple[str, ...] = ()
    repaired: bool = False
    error: str = ""

    @property
    def whole(self) -> bool:
        """Whether readers are answered there now."""
        return not self.error and (self.repaired or not self.damaged)


def check_copies(
    workshop: Workshop, policy: Policy, domains: Iterable[str], *, repair: bool
) -> Iterator[AtPlace]:
    """Reads every byte of the versions in force at home and at every copy.

    Args:
        workshop: the store and the registry.
        policy: places and alias.
        domains: targets; those without a version are passed over.
        repair: whether what is damaged is written again, from a place that has it whole.

    Yields:
        Each version at each place, as soon as it was read.

    Raises:
        RegistryError: the registry cannot be read.
    """
    places: list[str | Path] = [policy.home, *policy.copies]
    for domain in domains:
        history = workshop.registry.alias_history(domain, policy.alias)
        for place in places if history else ():
            yield _at(workshop, policy, history, place, repair=repair)


def _at(
    workshop: Workshop, policy: Policy, history: Sequence[AliasRow], place: str | Path, *, repair: bool
) -> AtPlace:
    head = history[0]
    found = AtPlace(head.domain, head.version, head.digest, str(place))
    try:
        found = replace(found, damaged=_damaged(place, head))
        if found.damaged and repair:
            _repair(workshop, policy, history, place, found.damaged)
            left = _damaged(place, head)
            if left not in ((), found.damaged):  # a manifest that is whole again vouches for the others
                _repair(workshop, policy, history, place, left)
                left = _damaged(place, head)
            error = f"damaged again once it was written: {', '.join(left)}" if left else ""
            found = replace(found, repaired=not left, error=error)
    except HierError as error:
        return replace(found, error=error.message)
    return found


def _damaged(place: str | Path, head: AliasRow) -> tuple[str, ...]:
    files = damaged_files(head.digest, place)
    return (*files, RECORD) if AliasRecords(place).lacks(head) else files


def _repair(
    workshop: Workshop,
    policy: Policy,
    history: Sequence[AliasRow],
    place: str | Path,
    damaged: Sequence[str],
) -> None:
    head, files = history[0], [name for name in damaged if name != RECORD]
    if files:
        whole = live_set(workshop, head.digest, head.domain, head.version, policy.copies).artifact
        if place != policy.home:
            copy_set(whole, place, again=files)
    AliasRecords(place).catch_up(history if place == policy.home else history[:1])
