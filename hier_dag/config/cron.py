"""Crons of the declaration, checked before a scheduler meets them."""

from __future__ import annotations

from croniter import CroniterBadDateError, croniter


def valid_cron(value: str | None, name: str) -> str | None:
    """A five-field cron, or None.

    Args:
        value: as declared.
        name: of the key that declares it.

    Raises:
        ValueError: it is no cron, or its day never comes.
    """
    if value is None:
        return None
    if len(value.split()) != 5 or not croniter.is_valid(value):
        raise ValueError(f'{name} must be a five-field cron such as "0 3 * * *", not {value!r}')
    try:
        croniter(value).get_next()
    except CroniterBadDateError:
        raise ValueError(f"{name} {value!r} names a day that never comes") from None
    return value
