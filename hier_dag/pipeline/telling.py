"""Who is told of a version, after its row is on record: readers at home and at copies, and the sinks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from hier_dag.errors import HierError, SinkError, StoreError
from hier_dag.pipeline.policy import Policy
from hier_dag.pipeline.published_sets import at_hand, live_set
from hier_dag.pipeline.workshop import Workshop
from hier_dag.publish.aliases import AliasRecords, record_of
from hier_dag.publish.mirror import copy_set
from hier_dag.publish.sinks.base import Delivery
from hier_dag.publish.sinks.make import make_sink
from hier_dag.publish.sinks.set_files import SetFiles
from hier_dag.registry import AliasRow
from hier_dag.store.failures import StorageError


def tell(workshop: Workshop, policy: Policy, domain: str) -> list[Delivery]:
    """Tells every place and sink of the version in force; what fails keeps none of the others from it.

    Raises:
        StoreError: naming who was not told; the version is in force all the same. A `StorageError` where the
            same again may do.
    """
    history = workshop.registry.alias_history(domain, policy.alias)
    head = history[0]
    deliveries: list[Delivery] = []
    failed: list[HierError] = []

    def attempt(work: Callable[[], None]) -> None:
        try:
            work()
        except HierError as error:
            failed.append(error)

    AliasRecords(policy.home).catch_up(history)
    for place in policy.copies:
        attempt(lambda place=place: _copy(workshop, policy, place, history))  # type: ignore[misc]
    for sink in policy.sinks:
        attempt(
            lambda sink=sink: deliveries.append(  # type: ignore[misc]
                make_sink(sink).deliver(_files(workshop, policy, head), record_of(head))
            )
        )
    if failed:
        first = failed[0]
        again = all(isinstance(error, StorageError | SinkError) for error in failed)
        raise (StorageError if again else StoreError)(
            f"version {head.version} of {policy.alias} is in force, but not everybody was told: "
            + "; ".join(error.message for error in failed),
            domain=domain,
            file=first.file,
            fix=f"{first.fix or 'mend what is named'}; then run: hier run (it tells them)",
        )
    return deliveries


def is_told(policy: Policy, history: Sequence[AliasRow], domain: str) -> bool:
    """Whether every place and sink knows of the version in force, and none of a later one.

    Raises:
        HierError: one of them cannot be asked.
    """
    head = history[0]
    for place in _places(policy):
        records = AliasRecords(place)
        if records.lacks(head) or records.highest(domain, policy.alias) > head.version:
            return False
    there = (head.version, head.digest)
    return all(make_sink(sink).current(domain, policy.alias) == there for sink in policy.sinks)


def highest(policy: Policy, history: Sequence[AliasRow], domain: str) -> int:
    """The highest version that readers find anywhere, 0 for none.

    It is above the registry's own where that was lost or restored: numbers go on from it, so that readers
    follow.

    Raises:
        StoreError: a place holds another platform's versions.
    """
    found = 0
    for place in _places(policy):
        records = AliasRecords(place)
        records.check(history)
        found = max(found, records.highest(domain, policy.alias))
    return found


def _places(policy: Policy) -> list[str | Path]:
    return [policy.home, *policy.copies]


def _copy(workshop: Workshop, policy: Policy, place: str, history: Sequence[AliasRow]) -> None:
    records = AliasRecords(place)
    if records.lacks(history[0]):
        found = at_hand(workshop, history[0], policy.copies)
        copy_set(found.artifact, place)  # another publisher's, or the place is a new one
        records.catch_up(history[:1])


def _files(workshop: Workshop, policy: Policy, head: AliasRow) -> SetFiles:
    found = live_set(workshop, head.digest, head.domain, head.version, policy.copies)
    return SetFiles.open(found.artifact.path, head.digest)
