"""What is wrong with a SQLAlchemy URL, found without connecting to anything."""

from __future__ import annotations

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

_FORM = "dialect://user:password@host/database"


def url_problem(url: str) -> tuple[str, str] | None:
    """Syntax, dialect and driver of a SQLAlchemy URL.

    Args:
        url: the URL; it may hold a password, so that no message repeats it.

    Returns:
        What is wrong and how to mend it, None for a usable URL.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        return "not a SQLAlchemy URL.", f"write it as {_FORM}"
    try:
        dialect = parsed.get_dialect()
    except (NoSuchModuleError, ValueError):
        message = f"SQLAlchemy knows no dialect {parsed.drivername!r}."
        return (
            message,
            "use sqlite, postgresql, mysql or another installed dialect, such as sqlite:///file.db",
        )
    try:
        dialect.import_dbapi()
    except ImportError as e:
        lacking = e.name or str(e)
        message = f"the driver of {parsed.drivername!r} is not installed: no module {lacking!r}."
        return message, "install it, or name an installed driver: dialect+driver://…"
    return None


def sqlite_database(url: str) -> str | None:
    """The file that a usable URL of a SQLite database names; None for one in memory or any other database."""
    parsed = make_url(url)
    file = parsed.database or ""
    if parsed.get_backend_name() != "sqlite" or file in ("", ":memory:") or file.startswith("file:"):
        return None
    return file
