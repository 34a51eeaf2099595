"""Which options a database URL may carry after its `?`: an allow-list for each kind of database.

Options go to SQLAlchemy or to the driver, and some run code or read files: `plugin` and `odbc_connect` load
modules, `init_command` and `options` run SQL or change the session, `read_default_file`, `service` and
`passfile` read files of this machine, `local_infile` lets a server ask for any. Whoever fills a placeholder
of the URL must not be able to add one of those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_POSTGRES = (
    "application_name", "channel_binding", "client_encoding", "connect_timeout", "gssencmode", "host",
    "hostaddr", "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "port", "sslcert",
    "sslkey", "sslmode", "sslrootcert", "target_session_attrs", "tcp_user_timeout",
)  # fmt: skip
_MYSQL = (
    "charset", "collation", "connect_timeout", "read_timeout", "ssl_ca", "ssl_cert", "ssl_key", "ssl_mode",
    "ssl_verify_cert", "ssl_verify_identity", "unix_socket", "write_timeout",
)  # fmt: skip
_MSSQL = (
    "ApplicationIntent",
    "Authentication",
    "Encrypt",
    "MultiSubnetFailover",
    "TrustServerCertificate",
    "driver",
)

ALLOWED: Mapping[str, tuple[str, ...]] = {
    "postgresql": _POSTGRES,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "mssql": _MSSQL,
    "sqlite": (),
}
"""Options that a URL of each kind of database may carry; a kind that is not listed may carry none."""


def option_problem(kind: str, query: Mapping[str, str | Sequence[str]]) -> tuple[str, str] | None:
    """Options that are not on the list, or that name something on this machine where a name is meant.

    Args:
        kind: SQLAlchemy's name of the kind of database, such as postgresql.
        query: the URL's options.

    Returns:
        What is wrong and how to mend it, None where all are allowed. Values are not repeated: they may be
        secret.
    """
    allowed = ALLOWED.get(kind, ())
    refused = sorted(set(query) - set(allowed))
    if refused:
        message = f"options that are not allowed in the URL of a {kind} database: {', '.join(refused)}."
        fix = (
            f"leave them out; allowed are {', '.join(allowed)}"
            if allowed
            else "leave out everything from `?` on"
        )
        return message, fix + (": a SQLite file is always opened read-only" if kind == "sqlite" else "")
    driver: Any = query.get("driver")
    if driver is not None and (not isinstance(driver, str) or set("/\\") & set(driver)):
        # An ODBC driver may be given as the path of a shared library, which is then loaded.
        return (
            "the option `driver` is a path.",
            "name an installed driver, such as ODBC Driver 18 for SQL Server",
        )
    return None
