"""Sets that versions name, from the store; one that is lost or damaged there comes back from a copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hier_dag.erasure.suppressed import refuse_suppressed
from hier_dag.errors import StoreError
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.pipeline.workshop import Workshop
from hier_dag.progress import Step, tell
from hier_dag.publish.fetching import fetch_set
from hier_dag.registry import AliasRow
from hier_dag.registry.decisions import COLLECTED
from hier_dag.store import Artifact
from hier_dag.store.failures import StorageError


@dataclass(frozen=True)
class Found:
    """A set in the store.

    Attributes:
        artifact: it.
        place: the copy that it had to be brought back from; None where it was here.
    """

    artifact: Artifact
    place: str | None = None


def at_hand(workshop: Workshop, row: AliasRow, copies: Sequence[str]) -> Found:
    """A version's set, its files looked at for being there and of their sizes.

    Args:
        workshop: the store and the registry.
        row: the version.
        copies: places that are asked where it is not at hand.

    Raises:
        StoreError: it is not, nor at any copy; naming who removed it, where somebody did. Or it holds users
            who were erased since.
    """
    refuse_suppressed(workshop.registry, row)
    try:
        return Found(workshop.store.at_hand(PUBLISHED, row.digest))
    except StoreError as error:
        gone = _gone(workshop, row, error)
    return _brought_back(workshop, row.digest, row.domain, copies, gone)


def live_set(workshop: Workshop, digest: str, domain: str, version: int, copies: Sequence[str]) -> Found:
    """The set that is live, every byte checked.

    Raises:
        StoreError: it is damaged or gone, and no copy has it whole.
    """
    return _whole(
        workshop, digest, domain, copies, f"the live set (version {version})",
        "restore its folder from a copy or a backup; or put a version that is whole in force: "
        f"hier rollback {domain} --to VERSION",
    )  # fmt: skip


def anchor_set(workshop: Workshop, digest: str, domain: str, copies: Sequence[str]) -> Found:
    """The set that began the live space, every byte checked: a new set is compared with it.

    Raises:
        StoreError: it is damaged or gone, and no copy has it whole.
    """
    return _whole(
        workshop, digest, domain, copies, f"the set that began the live space ({digest[:12]})",
        "restore its folder from a copy or a backup, or put a version of another space in force: "
        f"hier rollback {domain} --to VERSION",
    )  # fmt: skip


def _whole(workshop: Workshop, digest: str, domain: str, copies: Sequence[str], what: str, fix: str) -> Found:
    try:
        return Found(workshop.store.open(PUBLISHED, digest))
    except StoreError as error:
        message = f"{what} is not whole, so that no other can be compared with it: {error.message}"
        damaged = StoreError(message, domain=domain, file=error.file, fix=fix)
    return _brought_back(workshop, digest, domain, copies, damaged)


def _brought_back(
    workshop: Workshop, digest: str, domain: str, copies: Sequence[str], lost: StoreError
) -> Found:
    tried = []
    for place in copies:
        try:
            artifact = fetch_set(workshop.store, digest, place)
        except StoreError as error:
            if isinstance(error, StorageError) and str(error.file).startswith(f"{workshop.store.root}/"):
                raise  # this machine's own disk: no other copy helps
            tried.append(f"{place}: {error.message}")
            continue
        tell(Step(f"{PUBLISHED}[{domain}]", f"set {digest[:12]} was brought back from {place}", 1, 1))
        return Found(artifact, place)
    if not tried:
        raise lost
    raise StoreError(
        f"{lost.message}; no copy has it whole ({'; '.join(tried)})",
        domain=domain,
        file=lost.file,
        fix=lost.fix,
    )


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
