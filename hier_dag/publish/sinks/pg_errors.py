"""What Postgres says, as a `SinkError`: place and fix named, no password and no statement repeated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from hier_dag.errors import SinkError

_AGAIN = "mend what it says, then deliver again: the set that was in force is whole"
_FIXES = {
    "42501": "grant the user CREATE on the database, or make it the schema: CREATE SCHEMA … AUTHORIZATION …",
    "53100": "make room on the database's disk, then deliver again",
    "54000": "Postgres cannot index ids beyond about 2,700 bytes: shorten them (max_id_length) "
    "or use a sink of type lance",
    "2BP01": "something of your own depends on the old table itself: build it on the view instead",
    "22P05": "the database's encoding lacks a character of an id: make a database WITH ENCODING 'UTF8'",
    "42809": "something else has the name of the view: rename it, or give the sink a schema of its own",
    "55P03": "end the transaction that has held the old set for longer than lock_seconds, then deliver again",
    "57014": "the statement was cancelled from outside: deliver again",
}
_CONNECT = "check that the database runs, its address, user and password"


@contextmanager
def telling(url: URL, domain: str | None, table: str) -> Iterator[None]:
    """Turns the driver's errors into a `SinkError`.

    Args:
        url: of the database.
        domain: named in the error; None where the work is about no one of them.
        table: qualified name of what was worked at.

    Raises:
        SinkError: in place of any error of the driver or of SQLAlchemy.
    """
    try:
        yield
    except SQLAlchemyError as e:
        raise _told(e.orig if isinstance(e, DBAPIError) else e, url, domain, table) from None
    except Exception as e:
        if not isinstance(e, url.get_dialect().import_dbapi().Error):
            raise
        raise _told(e, url, domain, table) from None


def place(url: URL) -> str:
    """A URL without what may be secret: password and query."""
    return url.set(query={}).render_as_string(hide_password=True)


def _told(error: Any, url: URL, domain: str | None, table: str) -> SinkError:
    code = getattr(error, "pgcode", None)
    words = (str(error).strip() or type(error).__name__).splitlines()[0]
    if url.password:
        words = words.replace(str(url.password), "***")
    fix = _FIXES.get(code, _AGAIN) if code else f"{_CONNECT}, then deliver again"
    return SinkError(
        f"Postgres refuses: {words}",
        domain=domain,
        file=f"{place(url)}#{table}",
        fix=fix,
        detail={"sqlstate": code} if code else {},
    )
