"""Who is told of a version, after its row is on record: readers at home and at copies, and the sinks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from hier_dag.errors import HierError, SinkError, StoreError
from hier_dag.pipeline.policy import Policy
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.pipeline.workshop import Workshop
from hier_dag.publish.aliases import AliasRecords, record_of
from hier_dag.publish.mirror import copy_set
from hier_dag.publish.sinks.base import Delivery
from hier_dag.publish.sinks.make import make_sink
from hier_dag.publish.sinks.set_files import SetFiles
from hier_dag.registry import AliasRow
from hier_dag.registry.decisions import COLLECTED
from hier_dag.store import Artifact
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
        attempt(lambda place=place: _copy(workshop, place, history))  # type: ignore[misc]
    for sink in policy.sinks:
        attempt(
            lambda sink=sink: deliveries.append(  # type: ignore[misc]
                make_sink(sink).deliver(_files(workshop, head), record_of(head))
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


def at_hand(workshop: Workshop, row: AliasRow) -> Artifact:
    """A version's set, its files looked at for being there and of their sizes.

    Raises:
        StoreError: it is not; naming who removed it, where somebody did.
    """
    try:
        return workshop.store.at_hand(PUBLISHED, row.digest)
    except StoreError as error:
        raise _gone(workshop, row, error) from None


def whole(workshop: Workshop, digest: str, domain: str, version: int) -> Artifact:
    """The set that is live, every byte checked.

    Raises:
        StoreError: it is damaged or gone, and what a new set would be compared with with it.
    """
    try:
        return workshop.store.open(PUBLISHED, digest)
    except StoreError as error:
        raise StoreError(
            f"the live set (version {version}) is not whole, so that no other can be compared with it: "
            f"{error.message}",
            domain=domain,
            file=error.file,
            fix="restore its folder from a copy or a backup; or put a version that is whole in force: "
            f"hier rollback {domain} --to VERSION",
        ) from None


def _places(policy: Policy) -> list[str | Path]:
    return [policy.home, *policy.copies]


def _copy(workshop: Workshop, place: str, history: Sequence[AliasRow]) -> None:
    records = AliasRecords(place)
    if records.lacks(history[0]):
        copy_set(at_hand(workshop, history[0]), place)  # another publisher's, or the place is a new one
        records.catch_up(history[:1])


def _files(workshop: Workshop, head: AliasRow) -> SetFiles:
    return SetFiles.open(workshop.store.open(PUBLISHED, head.digest).path, head.digest)


def _gone(workshop: Workshop, row: AliasRow, error: StoreError) -> StoreError:
    decisions = workshop.registry.decisions(kinds=(COLLECTED,))
    removed = next((d for d in decisions if d.subject == row.digest), None)
    if removed is None:
        return error
    return StoreError(
        f"the set of version {row.version} is not in the store any more: {removed.who} removed it on "
        f"{removed.created_at:%Y-%m-%d} ({removed.why})",
        domain=row.domain,
        fix="go back to a version that is there, or restore a backup; hier pin keeps a set from now on",
    )
