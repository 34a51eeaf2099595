"""Moves every alias off sets that hold erased users, in one transaction, and tells whoever follows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hier_dag.erasure.erased import SUPPRESSED
from hier_dag.erasure.suppress import COUNT, Suppression
from hier_dag.errors import HierError, MovedOn, StoreError
from hier_dag.pipeline.policy import Policy
from hier_dag.pipeline.telling import highest, tell
from hier_dag.pipeline.workshop import Workshop
from hier_dag.registry import AliasRow, Move
from hier_dag.registry.decisions import Statement
from hier_dag.store import Artifact, Manifest

_TRIES = 20  # times that publishers may come first


@dataclass(frozen=True)
class Flipped:
    """An alias that moved.

    Attributes:
        before: the version that was in force.
        after: the one that is.
    """

    before: AliasRow
    after: AliasRow

    def as_json(self) -> dict[str, Any]:
        """What a receipt says of it."""
        return {
            "domain": self.after.domain,
            "alias": self.after.alias,
            "before": {"version": self.before.version, "digest": self.before.digest},
            "after": {"version": self.after.version, "digest": self.after.digest},
        }


def flip(
    workshop: Workshop, policy: Policy, making: Suppression, receipt: str
) -> tuple[list[Flipped], list[str]]:
    """Puts sets without erased users in the place of all that are in force and hold some.

    Args:
        workshop: the store and the registry.
        policy: places; copies are told later, so that one that is down keeps nothing.
        making: makes the sets.
        receipt: id of the erasure's receipt.

    Returns:
        What moved, and in words which sets could not be looked at: no reader can open these either.

    Raises:
        MovedOn: others published without end.
    """
    for attempt in range(_TRIES):
        heads = {(h.domain, h.alias): h for h in workshop.registry.all_aliases()}
        new, failed = _replacements(making, heads)
        moves = [
            _move(workshop, policy, heads[key], artifact.digest, artifact.manifest, receipt)
            for key, artifact in new.items()
        ]
        if not moves:
            return [], failed
        said = [
            Statement(
                str(made.manifest.partition), SUPPRESSED, old, f"erasure {receipt}", facts={"by": made.digest}
            )
            for old, made in making.made.items()
        ]
        try:
            rows = workshop.registry.move_together(moves, said)
        except MovedOn:
            if attempt == _TRIES - 1:
                raise
            continue
        return [Flipped(heads[row.domain, row.alias], row) for row in rows], failed
    raise AssertionError("unreachable")


def tell_all(workshop: Workshop, policy: Policy, heads: Sequence[AliasRow]) -> list[str]:
    """Tells places and sinks of versions; returns who could not be told, in words."""
    failed = []
    for head in heads:
        try:
            tell(workshop, replace(policy, alias=head.alias), head.domain)
        except HierError as error:
            failed.append(f"{head.domain} {head.alias}: {error.message}")
    return failed


def _replacements(
    making: Suppression, heads: Mapping[tuple[str, str], AliasRow]
) -> tuple[dict[tuple[str, str], Artifact], list[str]]:
    new, failed = {}, []
    for key, head in heads.items():
        try:
            made = making.of(head.digest)
        except StoreError as error:
            failed.append(f"{head.domain} {head.alias}: {error.message}")
            continue
        if made is not None:
            new[key] = made
    return new, failed


def _move(
    workshop: Workshop, policy: Policy, head: AliasRow, digest: str, manifest: Manifest, receipt: str
) -> Move:
    history = workshop.registry.alias_history(head.domain, head.alias)
    here = replace(policy, copies=(), alias=head.alias)
    return Move(
        domain=head.domain,
        alias=head.alias,
        digest=digest,
        run_id="",
        why=f"users were erased (receipt {receipt})",
        change="same",
        space=head.space,
        facts={"erasure": receipt, COUNT: manifest.params[COUNT], "model": manifest.parents.get("model")},
        after=head.version,
        beyond=highest(here, history, head.domain),
    )
