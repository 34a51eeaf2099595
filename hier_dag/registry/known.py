"""Whether a registry knows a platform, asked without making anything."""

from __future__ import annotations

import os

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from hier_dag.config.database_url import sqlite_database, url_problem
from hier_dag.registry.connection import make_engine, patiently
from hier_dag.registry.patience import QUESTION, of_one_try, patience
from hier_dag.registry.schema import version_of
from hier_dag.registry.tables import EventRecord


def knows(url: str, platform: str) -> bool:
    """Whether anything of a platform is on record; neither file nor table is made.

    Tables of another version are not looked into: whoever opens them says what to do with them.

    Args:
        url: SQLAlchemy URL of the registry; platforms may share one.
        platform: its name.

    Raises:
        ConfigError: no database can be reached by the URL.
        RegistryError: the database cannot be read.
    """
    file = sqlite_database(url) if url_problem(url) is None else None
    if file is not None and not os.path.lexists(file):
        return False
    timeout = patience(QUESTION)
    engine = make_engine(url, timeout=of_one_try(timeout))

    def asked() -> bool:
        with Session(engine) as s:
            if not inspect(s.connection()).has_table(EventRecord.__tablename__):
                return version_of(s) is not None
            mine = select(EventRecord.seq).where(EventRecord.platform == platform).limit(1)
            return s.scalar(mine) is not None

    try:
        return patiently(asked, url, timeout)
    finally:
        engine.dispose()
