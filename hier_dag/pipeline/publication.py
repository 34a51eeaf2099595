"""Going live: gates, then the registry's row, which is the commit; readers' records and sinks follow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hier_dag.config import PlatformConfig
from hier_dag.errors import MovedOn, StoreError, UsageError
from hier_dag.pipeline.against_live import Compare
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.pipeline.workshop import Refused, Workshop
from hier_dag.publish.aliases import AliasRecords, record_of
from hier_dag.publish.gates import remedies, space_gate, transfer_gate
from hier_dag.publish.mirror import copy_set
from hier_dag.publish.sinks.base import Delivery
from hier_dag.publish.sinks.make import make_sink
from hier_dag.publish.sinks.params import LanceSink, PgVectorSink
from hier_dag.publish.sinks.set_files import SetFiles
from hier_dag.publish.versions import held_back, version_to_restore
from hier_dag.registry import AliasRow, CheckRow, Move
from hier_dag.registry.aliases import LIVE, ROLLBACK
from hier_dag.registry.decisions import COLLECTED
from hier_dag.store import Artifact

_TRIES = 20  # times that other publishers may come first



@dataclass(frozen=True)
class Policy:
    """How sets of a platform go live.

    Attributes:
        home: folder of the platform's own state, where readers on this machine look.
        copies: further places, folders or URLs, that hold copies of sets and records.
        transfer_blocks: whether transfer that loses needs a waiver.
        breaking_blocks: whether a breaking space needs approval.
        alias: that is moved.
        sinks: databases that serve what is live; they come after the commit, and may be asked again.
    """

    home: Path
    copies: Sequence[str] = ()
    sinks: Sequence[PgVectorSink | LanceSink] = ()
    transfer_blocks: bool = True
    breaking_blocks: bool = True
    alias: str = LIVE


def policy_of(config: PlatformConfig, home: Path, alias: str = LIVE) -> Policy:
    """What domains.yaml declares of going live.

    Args:
        config: the platform.
        home: folder of its state.
        alias: that is moved.
    """
    stages = config.stages
    return Policy(
        home=home,
        copies=stages.publish.copies,
        sinks=stages.publish.sinks,
        transfer_blocks=stages.gates.transfer == "block",
        breaking_blocks=stages.publish.space.breaking == "approve",
        alias=alias,
    )


@dataclass(frozen=True)
class Published:
    """How a publication ended.

    Attributes:
        row: the version in force.
        held: the roll-back that the set gave way to, where it was taken out of service by one.
        checks: results of the gates.
        deliveries: what became of the set at each sink.
    """

    row: AliasRow
    held: AliasRow | None = None
    checks: list[CheckRow] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)


def go_live(
    workshop: Workshop,
    artifact: Artifact,
    policy: Policy,
    compare: Compare,
    *,
    run_id: str,
    why: str,
    facts: dict[str, Any],
) -> Published:
    """Makes a committed set live, if the gates let it; to do so again changes nothing.

    Args:
        workshop: the store and the registry.
        artifact: the set.
        policy: gates and places.
        compare: compares it with the live set; asked again when another publisher came first.
        run_id: of the Dagster run.
        why: in words, for the history.
        facts: of the move, such as the index's latencies.

    Raises:
        Refused: by a gate; nothing moved, and the set stays in the store for when it is allowed.
        MovedOn: others published without end.
    """
    domain, registry = str(artifact.manifest.partition), workshop.registry
    model = artifact.manifest.parents["model"]
    for attempt in range(_TRIES):
        history = registry.alias_history(domain, policy.alias)
        head = history[0] if history else None
        held = held_back(history, artifact.digest)
        if head is not None and (held is not None or head.digest == artifact.digest):
            return Published(head, held, deliveries=_tell(workshop, policy, domain))
        live = None if head is None else _opened(workshop, head)
        change, compared = compare(artifact, live)
        checks = [
            transfer_gate(registry, domain, model, blocks=policy.transfer_blocks),
            space_gate(registry, domain, artifact.digest, change, compared, blocks=policy.breaking_blocks),
        ]
        registry.note_checks(artifact, checks, run_id=run_id)
        _refuse(checks, domain)
        for place in policy.copies:  # before the row, so that no copy is told of a set that it lacks
            copy_set(artifact, place)
        wanted = Move(
            domain=domain,
            alias=policy.alias,
            digest=artifact.digest,
            run_id=run_id,
            why=why,
            change=change,
            space=str(artifact.manifest.summary.get("space", "")),
            facts={**facts, "comparison": compared},
            after=0 if head is None else head.version,
        )
        try:
            row = registry.move_alias(wanted)
        except MovedOn:
            if attempt == _TRIES - 1:
                raise
            continue
        return Published(row, checks=checks, deliveries=_tell(workshop, policy, domain))
    raise AssertionError("unreachable")


def held_words(held: AliasRow) -> str:
    """Why a set that was made is not live, and how it would be."""
    return (
        f"{held.who} rolled back from this set on {held.created_at:%Y-%m-%d %H:%M} UTC ({held.why}); it "
        "stays out of service until another set is published, or: hier rollback --to its version"
    )


def roll_back(
    workshop: Workshop, policy: Policy, domain: str, *, to: int | None, why: str
) -> tuple[AliasRow, AliasRow]:
    """Puts an earlier set in force again, as a further version.

    The set's manifest is checked, its files only for being there: readers check every byte before use.

    Args:
        workshop: the store and the registry.
        policy: places that are told.
        domain: the target.
        to: version whose set it is to be; None for the set before the one in force.
        why: in words, for the history.

    Returns:
        The version in force, and the one it restores.

    Raises:
        UsageError: there is no such version, or its set is in force already.
        StoreError: its set is not in the store any more.
        MovedOn: somebody published in the meantime.
    """
    if not why.strip():
        raise UsageError("a roll-back needs a reason.", fix='say it with --why "…"')
    history = workshop.registry.alias_history(domain, policy.alias)
    old = version_to_restore(history, domain, policy.alias, to)
    head = history[0]
    artifact = workshop.store.at_hand(PUBLISHED, old.digest)
    for place in policy.copies:
        copy_set(artifact, place)
    row = workshop.registry.move_alias(
        Move(
            domain=domain,
            alias=policy.alias,
            digest=old.digest,
            run_id="",
            why=why,
            action=ROLLBACK,
            change="same" if old.space == head.space else "breaking",
            space=old.space,
            facts={"restores": old.version},
            after=head.version,
        )
    )
    _tell(workshop, policy, domain)
    return row, old


def name_set(
    workshop: Workshop, policy: Policy, domain: str, *, version: int | None, why: str
) -> tuple[AliasRow, AliasRow]:
    """Points a further alias, such as `canary`, at the set of a version of `live`.

    Args:
        workshop: the store and the registry.
        policy: places that are told; its alias is the one that moves.
        domain: the target.
        version: of `live`; None for the one in force.
        why: in words, for the history.

    Returns:
        The version of the alias, and that of `live` whose set it names.

    Raises:
        UsageError: there is no such version, or the alias is `live` itself.
        StoreError: its set is not in the store any more.
    """
    if policy.alias == LIVE:
        raise UsageError(
            "live moves by publication, and back by: hier rollback", domain=domain, fix="choose another name"
        )
    history = workshop.registry.alias_history(domain, LIVE)
    row = next((r for r in history if version in (None, r.version)), None)
    if row is None:
        known = f"versions 1 to {history[0].version} are on record" if history else "run: hier run"
        what = "has no version" if version is None else f"has no version {version}"
        raise UsageError(f"live of {domain!r} {what}.", domain=domain, fix=known)
    artifact, head = (
        workshop.store.at_hand(PUBLISHED, row.digest),
        workshop.registry.alias(domain, policy.alias),
    )
    for place in policy.copies:
        copy_set(artifact, place)
    moved = workshop.registry.move_alias(
        Move(
            domain=domain,
            alias=policy.alias,
            digest=row.digest,
            run_id="",
            why=why,
            change="first" if head is None else "same" if head.space == row.space else "breaking",
            space=row.space,
            facts={"names": row.version},
            after=0 if head is None else head.version,
        )
    )
    _tell(workshop, policy, domain)
    return moved, row


def is_in_force(workshop: Workshop, policy: Policy, domain: str, digest: str) -> bool:
    """Whether a rerun would change nothing: a set is live, or held back, and every place knows of it."""
    history = workshop.registry.alias_history(domain, policy.alias)
    if not history or (history[0].digest != digest and held_back(history, digest) is None):
        return False
    head = history[0]
    places: list[str | Path] = [policy.home, *policy.copies]
    if any(AliasRecords(place).lacks(head) for place in places):
        return False
    there = (head.version, head.digest)
    return all(make_sink(sink).current(domain, policy.alias) == there for sink in policy.sinks)


def _tell(workshop: Workshop, policy: Policy, domain: str) -> list[Delivery]:
    """Writes the records that places lack, at home any that a crash left out, then asks the sinks."""
    history = workshop.registry.alias_history(domain, policy.alias)
    head = history[0]
    AliasRecords(policy.home).catch_up(history)
    for place in policy.copies:
        records = AliasRecords(place)
        if records.lacks(head):
            copy_set(_opened(workshop, head), place)  # another publisher's, or the place is a new one
            records.catch_up(history[:1])
    if not policy.sinks:
        return []
    files = SetFiles.open(_opened(workshop, head).path, head.digest)
    return [make_sink(sink).deliver(files, record_of(head)) for sink in policy.sinks]


def _opened(workshop: Workshop, row: AliasRow) -> Artifact:
    try:
        return workshop.store.open(PUBLISHED, row.digest, verify=False)
    except StoreError:
        removed = next(
            (d for d in workshop.registry.decisions(kinds=(COLLECTED,)) if d.subject == row.digest), None
        )
        if removed is None:
            raise
        raise StoreError(
            f"the set of version {row.version} is not in the store any more: {removed.who} removed it on "
            f"{removed.created_at:%Y-%m-%d} ({removed.why})",
            domain=row.domain,
            fix="go back to a version that is there, or restore a backup; hier pin keeps a set from now on",
        ) from None


def _refuse(checks: list[CheckRow], domain: str) -> None:
    failed = [c for c in checks if not c.passed]
    if failed:
        raise Refused(
            "; ".join(str(c.facts["message"]) for c in failed),
            checks=checks,
            domain=domain,
            fix=remedies(domain, failed),
            detail={c.name: c.facts for c in failed},
        )
