"""How the registry talks to its database: SQLite in WAL mode by default, with patience when it is locked."""

from __future__ import annotations

import math
import os
import sqlite3
import time
import zlib
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from hier_dag.config.database_url import sqlite_database, url_problem
from hier_dag.errors import ConfigError, RegistryError
from hier_dag.registry.patience import Waiting, is_passing

T = TypeVar("T")

_KNOCK = 10  # seconds until a server that does not answer counts as away; one beyond a firewall never would
_LOCKS = 0x48494552  # a number space of its own for advisory locks


def make_engine(url: str, timeout: float) -> Engine:
    """An engine for the registry.

    Args:
        url: SQLAlchemy URL.
        timeout: seconds that one try waits for a lock.

    Raises:
        ConfigError: when no database can be reached by the URL, whatever the patience.
    """
    _check(url)
    sqlite = url.startswith("sqlite")
    # Connections that a restarted server has forgotten are noticed before they are used.
    engine = create_engine(url, connect_args={"timeout": timeout} if sqlite else {}, pool_pre_ping=not sqlite)
    if engine.dialect.name == "postgresql":

        @event.listens_for(engine, "do_connect")
        def _knock(_: Any, __: Any, ___: Any, arguments: dict[str, Any]) -> None:
            arguments.setdefault("connect_timeout", _KNOCK)

        @event.listens_for(engine, "connect")
        def _bound_locks(connection: Any, _: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute(f"SET lock_timeout = {math.ceil(1000 * timeout)}")  # milliseconds
            connection.commit()

    if sqlite and (file := sqlite_database(url)) is not None and is_read_only(url):
        _open_read_only(engine, file)
    elif sqlite:

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


def is_read_only(url: str) -> bool:
    """Whether a registry is a SQLite file that may not be written, or lies where nothing may be."""
    file = sqlite_database(url) if url.startswith("sqlite") else None
    if file is None or not os.path.isfile(file):
        return False
    return not (os.access(file, os.W_OK) and os.access(_folder(file), os.W_OK))


def _folder(file: str) -> str:
    return os.path.dirname(os.path.abspath(file))


def _open_read_only(engine: Engine, file: str) -> None:
    """Opens a file that may not be written, such as a backup, so that it can be asked.

    Raises:
        RegistryError: its newest events lie in a file beside it that only who may write can take in.
    """
    # A log beside the file is read with its index, or where an index may be made; without either SQLite
    # reads a file in WAL mode only as one that stays, and would pass over what the log holds.
    log = os.path.isfile(f"{file}-wal") and os.path.getsize(f"{file}-wal") > 0
    writable = os.access(_folder(file), os.W_OK)
    if log and not writable and not os.path.isfile(f"{file}-shm"):
        raise RegistryError(
            "the registry may only be read, and its newest events lie in a log that was not closed.",
            file=f"{os.path.abspath(file)}-wal",
            fix="copy the registry and this file to a folder that you may write, and set HIER_REGISTRY to it",
        )
    mode = "mode=ro" if writable or log else "immutable=1"

    @event.listens_for(engine, "do_connect")
    def _connect(_: Any, __: Any, ___: Any, arguments: dict[str, Any]) -> Any:
        return sqlite3.connect(
            f"file:{quote(os.path.abspath(file))}?{mode}",
            uri=True,
            timeout=arguments.get("timeout", 5.0),
            check_same_thread=False,
        )


def one_at_a_time(s: Session, what: str) -> None:
    """Waits for others that do the same thing, until the end of the transaction.

    SQLite's writing transactions wait for each other anyway.

    Args:
        s: a writing transaction.
        what: name of the thing.
    """
    if s.connection().dialect.name == "postgresql":
        key = zlib.crc32(what.encode()) - (1 << 31)
        s.execute(select(func.pg_advisory_xact_lock(_LOCKS, key)))


def patiently(work: Callable[[], T], url: str, timeout: float) -> T:
    """Runs a transaction, again with back-off while the database is locked or away.

    Raises:
        RegistryError: when it stays so beyond `timeout` seconds, or the database refuses for another reason.
    """
    began, waiting = time.monotonic(), Waiting(timeout)
    pause = 0.05
    while True:
        try:
            return work()
        except SQLAlchemyError as e:
            # The driver's own words: SQLAlchemy adds the statement and a link for programmers.
            cause = str(e.orig if isinstance(e, DBAPIError) else e.args[0] if e.args else e)
            if not is_passing(e):
                raise RegistryError(
                    f"the registry refuses: {cause}",
                    file=_without_password(url),
                    fix="set HIER_REGISTRY to a registry's database (or move the damaged file away and "
                    "restore a backup), then run again",
                ) from e
            waited = time.monotonic() - began
            if waited + pause > timeout:
                raise RegistryError(
                    f"the registry could not be used for {timeout:g} s: {cause}",
                    file=_without_password(url),
                    fix="end the process that holds it (or start the database), then run again: "
                    "committed artifacts are found and nothing is recomputed",
                ) from None
        waiting.told(cause, waited)
        time.sleep(pause)
        pause = min(2 * pause, 2.0)


def _check(url: str) -> None:
    """Refuses at once what no waiting mends: a wrong URL, or a SQLite file that cannot be."""
    problem = url_problem(url)
    if problem is not None:
        message, fix = problem
        raise ConfigError(f"HIER_REGISTRY: {message}", fix=f"correct HIER_REGISTRY: {fix}")
    file = sqlite_database(url)
    if file is None:
        return
    if os.path.isdir(file):
        reason = "is a folder, not a SQLite file"
    elif not os.path.isdir(os.path.dirname(os.path.abspath(file))):
        reason = "its folder does not exist"
    else:
        return
    raise ConfigError(
        f"the registry's SQLite file cannot be opened: {reason}.",
        file=os.path.abspath(file),
        fix="make the folder, or correct HIER_REGISTRY (sqlite:////absolute/path/registry.db)",
    )


def _without_password(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
