"""Where the tests keep registries: SQLite files, or, with HIER_TEST_REGISTRY=postgres, a real server.

A test asks for the registry of a file; on a server each such file has a database of its own.
"""

import hashlib
import os
from functools import cache

import pytest
import sqlalchemy as sa

from benchmarks.faults.publishers import postgres

POSTGRES = os.environ.get("HIER_TEST_REGISTRY") == "postgres"
of_sqlite = pytest.mark.skipif(POSTGRES, reason="about a SQLite file")


def registry_url(file):
    """SQLAlchemy URL of the registry that a file stands for; its database is made."""
    if not POSTGRES:
        return f"sqlite:///{file}"
    return _admin().url.set(database=_database(str(file))).render_as_string(hide_password=False)


def copy_registry(source, target):
    """Copies the database that a file stands for; a SQLite file was copied with its folder."""
    if POSTGRES and str(source) in _made:
        # A server copies no database that somebody is connected to; engines connect again by themselves.
        with _admin().connect() as connection:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            connection.exec_driver_sql(ended, (_name(str(source)),))
            connection.exec_driver_sql(f"CREATE DATABASE {_name(str(target))} TEMPLATE {_name(str(source))}")
        _made.add(str(target))


_made: set[str] = set()


def _database(file):
    if file not in _made:
        with _admin().connect() as connection:
            known = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.exec_driver_sql(known, (_name(file),)).first() is None:
                connection.exec_driver_sql(f"CREATE DATABASE {_name(file)}")
        _made.add(file)
    return _name(file)


def _name(file):
    return "r" + hashlib.sha256(file.encode()).hexdigest()[:32]


@cache
def _admin():
    # Processes that a test starts find the server of those that started them.
    if "HIER_TEST_SERVER" not in os.environ:
        os.environ["HIER_TEST_SERVER"] = postgres()
    server = os.environ["HIER_TEST_SERVER"]
    return sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
