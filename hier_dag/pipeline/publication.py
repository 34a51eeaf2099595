"""Going live: gates, then the registry's row, which is the commit; readers' records and sinks follow it."""

from __future__ import annotations

import getpass
import random
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from hier_dag.errors import MovedOn, StoreError, UsageError
from hier_dag.pipeline.against_live import Compare
from hier_dag.pipeline.between_sets import between
from hier_dag.pipeline.held_back import HeldBack, described, held
from hier_dag.pipeline.policy import Policy
from hier_dag.pipeline.published_sets import Found, at_hand, live_set
from hier_dag.pipeline.telling import highest, is_told, tell
from hier_dag.pipeline.workshop import Refused, Workshop
from hier_dag.publish.aliases import record_of
from hier_dag.publish.gates import SPACE, TRANSFER, remedies, space_gate, transfer_gate
from hier_dag.publish.mirror import copy_set
from hier_dag.publish.reader.places import LocalPlace
from hier_dag.publish.reader.records import newest
from hier_dag.publish.sinks.base import Delivery
from hier_dag.publish.versions import version_to_restore
from hier_dag.registry import AliasRow, CheckRow, Move, Registry
from hier_dag.registry.aliases import LIVE, ROLLBACK
from hier_dag.store import Artifact

_TRIES = 20  # times that other publishers may come first
_PAUSE = 0.01  # seconds at most before the second try; twice as long each time, up to 0.64 s


@dataclass(frozen=True)
class Published:
    """How a publication ended.

    Attributes:
        row: the version in force.
        held: that the set stays out of service, where a roll-back took it out.
        checks: results of the gates; where nothing moved, those on record for the set.
        deliveries: what became of the set at each sink.
    """

    row: AliasRow
    held: HeldBack | None = None
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
        StoreError: the live set is damaged, and no copy has it whole; or the set is live, but a copy or a
            sink was not told.
    """
    domain, registry = str(artifact.manifest.partition), workshop.registry
    model = artifact.manifest.parents["model"]
    for attempt in range(_TRIES):
        history = registry.alias_history(domain, policy.alias)
        head = history[0] if history else None
        beyond = highest(policy, history, domain)
        by = held(registry, history, artifact.digest, model)
        known = head is not None and beyond <= head.version
        if head is not None and known and (by is not None or head.digest == artifact.digest):
            back = None if by is None else described(history, by, artifact.digest, model)
            checks = _gates_on_record(registry, artifact, known=back is None)
            return Published(head, back, checks, tell(workshop, policy, domain))
        live = _live(workshop, policy, domain, head, beyond)
        change, compared = compare(artifact, None if live is None else live.artifact)
        space = space_gate(registry, domain, artifact.digest, change, compared, blocks=policy.breaking_blocks)
        if live is not None and live.place is not None:
            space = replace(space, facts={**space.facts, "live_set_brought_back_from": live.place})
        checks = [transfer_gate(registry, domain, model, blocks=policy.transfer_blocks), space]
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
            facts={**facts, "model": model, "comparison": compared},
            after=0 if head is None else head.version,
            beyond=beyond,
        )
        try:
            row = _move(registry, wanted)
        except MovedOn:
            if attempt == _TRIES - 1:
                raise
            time.sleep(random.uniform(0, _PAUSE * 2 ** min(attempt, 6)))  # else all of them meet again
            continue
        return Published(row, checks=checks, deliveries=tell(workshop, policy, domain))
    raise AssertionError("unreachable")


def roll_back(
    workshop: Workshop, policy: Policy, domain: str, *, to: int | None, why: str
) -> tuple[AliasRow, AliasRow]:
    """Puts an earlier set in force again, as a further version.

    The set's manifest is checked, its files only for being there: readers check every byte before use. A set
    that is at a copy alone is brought back from there.

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
        StoreError: its set is neither in the store any more nor at a copy.
        MovedOn: somebody published in the meantime.
    """
    if not why.strip():
        raise UsageError("a roll-back needs a reason.", fix='say it with --why "…"')
    history = workshop.registry.alias_history(domain, policy.alias)
    old = version_to_restore(history, domain, policy.alias, to)
    head = history[0]
    found = at_hand(workshop, old, policy.copies)
    back = {} if found.place is None else {"brought_back_from": found.place}
    change, compared = between(history, old, head)
    row = _move(
        workshop.registry,
        Move(
            domain=domain,
            alias=policy.alias,
            digest=old.digest,
            run_id="",
            why=why,
            action=ROLLBACK,
            change=change,
            space=old.space,
            facts={
                "restores": old.version,
                "model": found.artifact.manifest.parents.get("model"),
                **compared,
                **back,
            },
            after=head.version,
            # A copy that cannot be reached must not stand in the way of going back.
            beyond=highest(replace(policy, copies=()), history, domain),
        ),
    )
    tell(workshop, policy, domain)
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
        StoreError: its set is neither in the store any more nor at a copy.
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
    artifact = at_hand(workshop, row, policy.copies).artifact
    own = workshop.registry.alias_history(domain, policy.alias)
    head = own[0] if own else None
    change, compared = ("first", {}) if head is None else between([*history, *own], row, head)
    moved = _move(
        workshop.registry,
        Move(
            domain=domain,
            alias=policy.alias,
            digest=row.digest,
            run_id="",
            why=why,
            change=change,
            space=row.space,
            facts={"names": row.version, "model": artifact.manifest.parents.get("model"), **compared},
            after=0 if head is None else head.version,
            beyond=highest(policy, [] if head is None else [head], domain),
        ),
    )
    tell(workshop, policy, domain)
    return moved, row


def is_in_force(workshop: Workshop, policy: Policy, artifact: Artifact) -> bool:
    """Whether a rerun would change nothing: a set is live, or held back, and every place knows of it."""
    domain, registry = str(artifact.manifest.partition), workshop.registry
    history = registry.alias_history(domain, policy.alias)
    if not history:
        return False
    model = artifact.manifest.parents.get("model")
    if history[0].digest != artifact.digest and held(registry, history, artifact.digest, model) is None:
        return False
    return is_told(policy, history, domain)


def _gates_on_record(registry: Registry, artifact: Artifact, *, known: bool) -> list[CheckRow]:
    """What the gates said of a set when they were last asked.

    Args:
        registry: where it is on record.
        artifact: the set.
        known: whether it is in force; a set that is held back may never have come to them.
    """
    newest = {c.name: c for c in registry.checks(artifact.digest)}
    why = "not asked: the set was in force already" if known else "not asked: the set is held back"
    return [
        newest.get(name) or CheckRow(name, True, {"message": why, "asked": False})
        for name in (TRANSFER, SPACE)
    ]


def _live(
    workshop: Workshop, policy: Policy, domain: str, head: AliasRow | None, beyond: int
) -> Found | None:
    """The set that readers have now, every byte checked: models of theirs were built on it.

    Where readers know of a later version than the registry, which was lost or restored then, it is theirs.
    """
    if head is not None and beyond <= head.version:
        return live_set(workshop, head.digest, domain, head.version, policy.copies)
    record = newest(LocalPlace(policy.home), domain, policy.alias)
    if record is None:
        return None
    return live_set(workshop, record.digest, domain, record.version, policy.copies)


def _move(registry: Registry, wanted: Move) -> AliasRow:
    """Moves an alias to a version that readers can be told of.

    Raises:
        StoreError: its record is one that readers would refuse; nothing moved.
        MovedOn: the alias is not where the move expects it.
    """
    now = datetime.now(UTC)
    row = AliasRow(
        domain=wanted.domain, alias=wanted.alias, version=wanted.beyond + 1, digest=wanted.digest,
        action=wanted.action, change=wanted.change, space=wanted.space, facts=wanted.facts,
        run_id=wanted.run_id, who=getpass.getuser(), why=wanted.why, created_at=now,
    )  # fmt: skip
    try:
        record_of(row).to_bytes()
    except ValueError as error:  # a figure that JSON does not have, or text that is no UTF-8
        raise StoreError(
            f"no record can be written of the move: {error}",
            domain=wanted.domain,
            fix="mend the reason given",
        ) from None
    return registry.move_alias(wanted)


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
