"""How the registry talks to its database: SQLite in WAL mode by default, with patience when it is locked."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from hier_dag.errors import RegistryError

T = TypeVar("T")


def make_engine(url: str, timeout: float) -> Engine:
    """An engine for the registry.

    Args:
        url: SQLAlchemy URL.
        timeout: seconds to wait for a lock before giving up.
    """
    sqlite = url.startswith("sqlite")
    engine = create_engine(url, connect_args={"timeout": timeout} if sqlite else {})
    if sqlite:

        @event.listens_for(engine, "connect")
        def _set_pragmas(connection: Any, _: Any) -> None:
            # Transactions are begun below: sqlite3 would otherwise begin them late and lose the race for the
            # write lock in a way that no timeout helps.
            connection.isolation_level = None
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")

        @event.listens_for(engine, "begin")
        def _begin(connection: Any) -> None:
            mode = "IMMEDIATE" if connection.get_execution_options().get("writes") else "DEFERRED"
            connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def patiently(work: Callable[[], T], url: str, timeout: float) -> T:
    """Runs a transaction, again with back-off while the database is locked or away.

    Raises:
        RegistryError: when it stays so beyond `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    pause = 0.05
    while True:
        try:
            return work()
        except OperationalError as e:
            cause = str(e.orig)
            if time.monotonic() + pause > deadline:
                raise RegistryError(
                    f"the registry could not be used for {timeout:g} s: {cause}",
                    file=_without_password(url),
                    fix="end the process that holds it (or start the database), then run again: "
                    "committed artifacts are found and nothing is recomputed",
                ) from None
            time.sleep(pause)
            pause = min(2 * pause, 2.0)
        except SQLAlchemyError as e:
            raise RegistryError(str(e), file=_without_password(url)) from e


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url

    return make_url(url).render_as_string(hide_password=True)
