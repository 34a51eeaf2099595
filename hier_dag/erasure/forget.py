"""Erases users: out of everything that is in force at once, out of everything that is built from now on.

The erasure goes on record first, so that whatever is built meanwhile is refused or already made without the
users. Each later step looks at what is there, so that the same command again goes on where one ended.
"""

from __future__ import annotations

import getpass
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ibis.backends.duckdb import Backend

from hier_dag.erasure.copies import holding_at
from hier_dag.erasure.corrections import without_erased
from hier_dag.erasure.elsewhere import files_with
from hier_dag.erasure.erased import ERASURE, RECEIPT, SUPPRESSED, Erased, erased_of
from hier_dag.erasure.flip import Flipped, flip, tell_all
from hier_dag.erasure.grades import HOLDS
from hier_dag.erasure.mentions import details_with, names
from hier_dag.erasure.reach import Reached, reach
from hier_dag.erasure.receipt import Receipt, commitments, receipt_file, write_receipt
from hier_dag.erasure.removal import remove_at, remove_here
from hier_dag.erasure.secret import make_secret
from hier_dag.erasure.sinks import clean_sinks
from hier_dag.erasure.suppress import Suppression
from hier_dag.errors import HierError, UsageError
from hier_dag.pipeline.older_registry import refuse_older_registry
from hier_dag.pipeline.policy import Policy
from hier_dag.pipeline.stages import CORRECTIONS, PUBLISHED, REFUSED
from hier_dag.pipeline.workshop import Workshop
from hier_dag.publish.aliases import AliasRecords
from hier_dag.quarantine.replay import corrections_of, replace_corrections

NOT_NEEDED = frozenset({PUBLISHED, REFUSED, CORRECTIONS})
"""Kinds whose artifacts go at once: nothing is made from those that hold erased users."""


@dataclass(frozen=True)
class Forgotten:
    """What an erasure did.

    Attributes:
        receipt: it, as it was written.
        reached: artifacts that had something of the users.
        flipped: aliases that moved.
        nowhere: ids among the given ones that no artifact has; not on record.
    """

    receipt: Receipt
    reached: list[Reached]
    flipped: list[Flipped]
    nowhere: list[str]


def forget(
    con: Backend,
    workshop: Workshop,
    policy: Policy,
    ids: Collection[str],
    *,
    why: str,
    keep_old: bool = False,
) -> Forgotten:
    """Erases users of a platform, in all of its domains.

    Args:
        con: the engine.
        workshop: the store and the registry.
        policy: the platform's home, copies and sinks.
        ids: of the users, as the logs have them.
        why: in words; must name none of them.
        keep_old: leaves sets that hold them to a clean-up.

    Raises:
        UsageError: no user is given, an id is no text that could be one, or the reason names one.
        ConfigError: users were erased before, and the platform's secret is gone, or the registry is from
            before that.
        RegistryError: it is older than what readers follow.
    """
    users = checked(ids, why)
    registry = workshop.registry
    refuse_older_registry(registry, policy.home)
    before = erased_of(registry, policy.home)
    secret = make_secret(policy.home) if before is None else before.secret
    receipt, tokens = secrets.token_hex(16), sorted(secret.token(user) for user in users)
    facts = {"tokens": tokens, "secret": secret.fingerprint}
    registry.decide("", ERASURE, receipt, why=why, facts=facts)
    everybody = erased_of(registry, policy.home) or Erased(secret, tuple(tokens))
    reached = reach(con, workshop, everybody.only(tokens))
    _clean_corrections(con, workshop, reached, everybody, receipt)
    making = Suppression(con, workshop, everybody)
    flipped, failed = flip(workshop, policy, making, receipt)
    failed += tell_all(workshop, policy, [f.after for f in flipped])
    for r in reached:
        if r.kind == PUBLISHED and r.grade.holds and r.digest not in making.made:
            registry.decide(str(r.partition), SUPPRESSED, r.digest, why=f"erasure {receipt}")
    details = details_with(registry, users)
    if details:
        registry.redact(details, why=f"erasure {receipt}")
    removed: list[str] = []
    if not keep_old:
        going = [r for r in reached if r.kind in NOT_NEEDED and r.grade.word == HOLDS]
        named = [(r.kind, r.partition or "", r.digest) for r in going]
        failed += remove_old(con, workshop, policy, everybody, named, receipt)
        removed = [r.digest for r in going if not workshop.store.has(r.kind, r.digest)]
    made = Receipt(
        id=receipt,
        platform=registry.platform,
        at=datetime.now(UTC).isoformat(),
        who=getpass.getuser(),
        why=why,
        users=len(users),
        commitments=commitments(secret, receipt, users),
        artifacts=[r.as_json() for r in reached],
        versions=[f.as_json() for f in flipped],
        replaced={old: new.digest for old, new in making.made.items()},
        removed=removed,
        told=failed,
        redacted=len(details),
        elsewhere=[*_manifests(workshop, reached, users), *files_with(policy.home, users)],
        chain=_head(workshop),
    )
    write_receipt(made, receipt_file(policy.home, receipt))
    registry.decide("", RECEIPT, receipt, why=why, facts={"sha256": made.digest})
    somewhere = frozenset[str]().union(*(r.grade.users for r in reached))
    return Forgotten(made, reached, flipped, [user for user in users if user not in somewhere])


def checked(ids: Collection[str], why: str) -> list[str]:
    """The users, each once, in order.

    Raises:
        UsageError: there is none, one is no id, or the reason names one.
    """
    users = sorted(set(ids))
    if not users or any(not user.strip() for user in users):
        raise UsageError(
            "no user is named." if not users else "a user's id is empty.",
            fix="give ids as the logs have them",
        )
    if any(not user.isprintable() for user in users):
        raise UsageError(
            "a user's id holds characters that no id of a platform has.", fix="give one id a line"
        )
    if names(why, frozenset(users)):
        raise UsageError(
            "the reason names a user, and what is recorded stays.",
            fix='say it without the id: --why "request of 3 May"',
        )
    return users


def remove_old(
    con: Backend,
    workshop: Workshop,
    policy: Policy,
    erased: Erased,
    artifacts: Iterable[tuple[str, str, str]],
    receipt: str,
) -> list[str]:
    """Removes artifacts that hold erased users here, sets that do at copies, and tables that do in sinks.

    Args:
        con: the engine.
        workshop: the store and the registry.
        policy: the copies and the sinks.
        erased: who was erased.
        artifacts: kind, partition and digest of each.
        receipt: id of the erasure's receipt.

    Returns:
        Where sets are left, in words: readers there may need them, or the place cannot be reached; and
        what sinks still hold.
    """
    failed, heads = [], workshop.registry.all_aliases()
    places: list[str | Path] = [policy.home, *policy.copies]
    for place in places:
        try:
            if any(AliasRecords(place).lacks(head) for head in heads):
                failed.append(f"{place}: sets stay until it knows of every version in force")
            elif place == policy.home:
                remove_here(workshop.store, workshop.registry, artifacts, f"erasure {receipt}")
            else:
                remove_at(str(place), holding_at(con, str(place), erased))
        except HierError as error:
            failed.append(f"{place}: {error.message}")
    return failed + clean_sinks(con, policy, erased)


def _manifests(workshop: Workshop, reached: list[Reached], users: Collection[str]) -> list[str]:
    """Manifests on record that name users, such as a refusal's words: the log cannot go without them."""
    rows = [row for r in reached if (row := workshop.registry.artifact(r.digest)) is not None]
    ids = frozenset(users)
    return [f"the registry's manifest of {row.kind} {row.digest}" for row in rows if names(row.manifest, ids)]


def _clean_corrections(
    con: Backend, workshop: Workshop, reached: list[Reached], erased: Erased, receipt: str
) -> None:
    for domain in sorted({str(r.partition) for r in reached if r.kind == CORRECTIONS}):
        given = corrections_of(workshop, domain)
        kept = without_erased(con, given, erased)
        if kept.table.num_rows < given.table.num_rows:
            replace_corrections(workshop, domain, kept, f"erasure {receipt}")


def _head(workshop: Workshop) -> dict[str, object]:
    head = workshop.registry.head()
    return {"seq": head.seq, "hash": head.hash}
