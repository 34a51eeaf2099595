"""What is wrong with a SQLAlchemy URL, found without connecting to anything."""

from __future__ import annotations

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from hier_dag.config.url_options import option_problem

_FORM = "dialect://user:password@host/database"
_SQLITE = "write sqlite:///relative/to/data.sqlite, or sqlite:////absolute/path.sqlite"


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


def source_url_problem(url: str) -> tuple[str, str] | None:
    """As `url_problem`, and options or file names by which a source would run code or read something else.

    A declaration is often filled in from elsewhere; HIER_REGISTRY is the operator's own and may say more.
    """
    problem = url_problem(url)
    if problem is not None and problem[0].startswith("not a"):
        return problem
    parsed = make_url(url)
    kind = parsed.drivername.split("+")[0]
    if kind == "sqlite" and (wrong := _file_problem(parsed.database)) is not None:
        return wrong
    return option_problem(kind, parsed.query) or problem


def _file_problem(database: str | None) -> tuple[str, str] | None:
    """A SQLite URL that names no file, whose file is a URI of its own, or lies above `data`."""
    if database in (None, "", ":memory:"):
        return "a SQLite database in memory holds no table.", _SQLITE
    file = str(database)
    if file.startswith("file:"):
        return "the SQLite file is given as a `file:` URI.", _SQLITE
    if "\0" in file:
        return "the SQLite file's name holds a NUL character.", _SQLITE
    if not file.startswith("/") and ".." in file.split("/"):
        return (
            "the SQLite file leaves `data` by `..`.",
            "write its absolute path: sqlite:////absolute/path.sqlite",
        )
    return None


def sqlite_database(url: str) -> str | None:
    """The file that a usable URL of a SQLite database names; None for one in memory or any other database."""
    parsed = make_url(url)
    file = parsed.database or ""
    if parsed.get_backend_name() != "sqlite" or file in ("", ":memory:") or file.startswith("file:"):
        return None
    return file
