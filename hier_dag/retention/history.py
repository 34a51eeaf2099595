"""What was live at a moment: the history of an alias, asked by date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from itertools import accumulate

from hier_dag.errors import UsageError
from hier_dag.registry import AliasRow, Registry

_FORMATS = "a date such as 2026-03-31, or a date and time such as 2026-03-31T12:00+02:00 (UTC without a zone)"


def moment_of(text: str, now: datetime) -> datetime:
    """The moment that a text names; a date means the end of that day, or now where the day is not over.

    Args:
        text: ISO 8601.
        now: UTC.

    Raises:
        UsageError: when it is neither a date nor a date and time, or lies in the future.
    """
    moment = parsed(text)
    day = _date(text)
    if day is not None and day <= now.date():
        return min(moment, now)
    if moment > now:
        fix = "ask for a moment that has been"
        raise UsageError(f"{text} is in the future (now: {shown(now)}).", fix=fix)
    return moment


def parsed(text: str) -> datetime:
    """A date, meaning its last microsecond UTC, or a date and time, UTC where it has no zone.

    Raises:
        UsageError: when it is neither.
    """
    day = _date(text)
    if day is not None:
        return datetime.combine(day, time.max, UTC)
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no moment.", fix=f"give {_FORMATS}") from None


def history_of(registry: Registry, domain: str, alias: str, declared: Sequence[str]) -> list[AliasRow]:
    """Every move of an alias, newest first.

    Args:
        registry: of the platform.
        domain: the target domain.
        alias: its name.
        declared: target domains of the declaration.

    Raises:
        UsageError: when the domain or the alias is not known, or nothing was published yet.
    """
    history = registry.alias_history(domain, alias)
    if history:
        return history
    heads = registry.all_aliases()
    known = sorted({row.domain for row in heads} | {*declared})
    if domain not in known:
        raise UsageError(
            f"no target domain is called {domain!r}; known: {', '.join(known) or 'none yet'}.",
            fix="choose one of them",
        )
    aliases = sorted(row.alias for row in heads if row.domain == domain)
    if not aliases:
        raise UsageError("nothing has been published yet.", domain=domain, fix="run: hier run")
    raise UsageError(
        f"no alias is called {alias!r}; known: {', '.join(aliases)}.",
        domain=domain,
        fix=f"ask for one of them, such as --alias {aliases[0]}",
    )


def every_history(registry: Registry, alias: str) -> dict[str, list[AliasRow]]:
    """Every move of an alias in each domain that has it, newest first.

    Raises:
        UsageError: when no domain has it.
    """
    heads = registry.all_aliases()
    if not heads:
        raise UsageError("nothing has been published yet.", fix="run: hier run")
    found = {row.domain: registry.alias_history(row.domain, alias) for row in heads if row.alias == alias}
    if not found:
        known = ", ".join(sorted({row.alias for row in heads}))
        raise UsageError(f"no alias is called {alias!r}; known: {known}.", fix="ask for one of them")
    return found


def up_to(history: Sequence[AliasRow], moment: datetime) -> list[AliasRow]:
    """Moves up to a moment, newest first: the first of them was in force then; none before version 1.

    Where the times of an old log go back, the order of moves holds: none was before the one before it.

    Args:
        history: every move of an alias, newest first.
        moment: with its zone.
    """
    oldest_first = history[::-1]
    not_before = accumulate((row.created_at for row in oldest_first), max)
    return [row for row, since in zip(oldest_first, not_before, strict=True) if since <= moment][::-1]


def refuse_none(histories: Sequence[Sequence[AliasRow]], moment: datetime) -> None:
    """Refuses a moment before the first version of all.

    Args:
        histories: every move of an alias in one or more domains, none of which is empty.
        moment: with its zone.

    Raises:
        UsageError: when no version was in force then.
    """
    first = min((history[-1] for history in histories), key=lambda row: row.created_at)
    if moment < first.created_at:
        raise UsageError(
            f"the alias {first.alias} pointed nowhere at {shown(moment)}: its first version is of "
            f"{shown(first.created_at)}.",
            domain=first.domain,
            fix="ask for a later moment, or for every move with --history alone",
        )


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def shown(moment: datetime) -> str:
    """A moment as people read it: UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
