"""How long a registry that is locked or away is waited for, and which of its errors waiting can mend."""

from __future__ import annotations

import logging
import math
import os
import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from hier_dag.errors import ConfigError
from hier_dag.progress import Step, is_heard, tell

VARIABLE = "HIER_REGISTRY_PATIENCE"
RUN, QUESTION = 120.0, 30.0
"""Seconds: of runs, which have work to lose and outlast a restart; of everything that a person waits for."""
LONGEST_TRY = 2.0
"""Seconds that one try waits inside the database, so that back-off and what is told get their turns."""
_PASSING = {  # primary result codes of SQLite
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR,
}  # fmt: skip
_FINAL_WORDS = ("authentication failed", "does not exist", "no pg_hba.conf entry")
_UNTOLD = 2.0  # seconds: shorter waits are nobody's business


def patience(usual: float) -> float:
    """Seconds to wait: HIER_REGISTRY_PATIENCE where it is set.

    Args:
        usual: where it is not: `RUN` or `QUESTION`.

    Raises:
        ConfigError: it is no number of seconds.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        return usual
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ConfigError(f"{VARIABLE} is {text!r}, which is no number of seconds.", fix=f"{VARIABLE}=120")
    return seconds


def of_one_try(patience: float) -> float:
    """Seconds that one try may wait inside the database."""
    return max(0.05, min(LONGEST_TRY, patience / 10))


def is_passing(error: SQLAlchemyError) -> bool:
    """Whether the same again may succeed: the database is locked, away, or was restarted."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if not isinstance(error, OperationalError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", None)
        return code is None or code & 0xFF in _PASSING
    return not any(words in str(error.orig) for words in _FINAL_WORDS)


class Waiting:
    """Tells that the registry is waited for: a listener each time, else the log once.

    Args:
        patience: seconds in all.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._logged = False

    def told(self, cause: str, waited: float) -> None:
        """Tells how long it has been.

        Args:
            cause: what the database says.
            waited: seconds so far.
        """
        if waited < _UNTOLD:
            return
        state = "locked" if "lock" in cause else "away"
        text = f"is {state}, waiting {waited:.0f} s of {self._patience:.0f} s"
        tell(Step("registry", text, int(waited), math.ceil(self._patience)))
        if not is_heard() and not self._logged:
            self._logged = True
            logging.getLogger(__name__).warning("registry %s (%s)", text, cause.strip())
