"""Versions of a domain's alias: what a plain rerun leaves alone, and where a roll-back leads."""

from __future__ import annotations

from collections.abc import Sequence

from hier_dag.errors import UsageError
from hier_dag.registry.aliases import ROLLBACK, AliasRow


def held_back(history: Sequence[AliasRow], digest: str, model: str | None = None) -> AliasRow | None:
    """The roll-back that took a set out of service, where one did and nothing new was published since.

    Such a set does not come back by running the pipeline again: somebody took it away on purpose. Neither
    does another set of its model, where the roll-back led to the set of another one.

    Args:
        history: every move of the alias, newest first.
        digest: of the set that would be published.
        model: digest of its model.
    """
    for row in history:
        if row.action != ROLLBACK:
            return None
        if row.digest == digest:
            return None  # the latest word on this set brought it back
        before = [earlier for earlier in history if earlier.version < row.version]
        if any(earlier.digest == digest for earlier in before):
            return row
        if row.facts.get("model") != model and any(e.facts.get("model") == model for e in before if model):
            return row
    return None


def version_to_restore(history: Sequence[AliasRow], domain: str, alias: str, to: int | None) -> AliasRow:
    """The version whose set is to be in force again.

    Args:
        history: every move of the alias, newest first.
        domain: the target domain.
        alias: its name.
        to: the version; None for the newest whose set is another one than that in force, and was not itself
            rolled back from.

    Raises:
        UsageError: nothing was published, or there is no such version, or its set is in force already.
    """
    if not history:
        raise UsageError(f"{alias} of {domain!r} has no version.", domain=domain, fix="run: hier run")
    head = history[0]
    known = f"versions 1 to {head.version} are on record (hier audit live {domain} --history)"
    if to is None:
        found = _before(history)
        if found is None:
            raise UsageError(
                f"there is no earlier set of {domain!r} to go back to.",
                domain=domain,
                fix=known,
            )
        return found
    row = next((row for row in history if row.version == to), None)
    if row is None:
        raise UsageError(f"{alias} of {domain!r} has no version {to}.", domain=domain, fix=known)
    if row.digest == head.digest:
        raise UsageError(
            f"the set of version {to} is in force already, as version {head.version}.",
            domain=domain,
            fix=known,
        )
    return row


def _before(history: Sequence[AliasRow]) -> AliasRow | None:
    """What was in force before the set that is: roll-backs in a row go further and further back."""
    head = history[0]
    others = [row for row in history if row.digest != head.digest]
    if head.action == ROLLBACK:
        first = min(row.version for row in history if row.digest == head.digest)
        others = [row for row in others if row.version < first]
    return next(iter(others), None)
