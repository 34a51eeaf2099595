"""The embedded table engine: one DuckDB behind Ibis, bounded memory, spilling to a scratch folder.

It reads and writes local files and nothing else: no network, no extension that is not built in, no Python
variable that happens to be called like a table. The settings are locked, so that no statement undoes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ibis.backends.duckdb import Backend

_LOCKS = (
    "SET TimeZone = 'UTC'",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET allow_persistent_secrets = false",
    "SET python_enable_replacements = false",
    # With external access off, local folders must be named; URLs and extensions stay out.
    "SET allowed_directories = ['/']",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


@contextmanager
def connect(scratch: Path, memory_limit: str = "1GB", threads: int = 2) -> Iterator[Backend]:
    """Opens an in-memory DuckDB that spills under `scratch` and closes it on exit.

    Times are read and written in UTC whatever the machine's zone, and row order is kept, so that the same
    input gives the same bytes everywhere.

    Args:
        scratch: folder for spilled data; made if it does not exist.
        memory_limit: DuckDB's own limit, such as "1GB".
        threads: worker threads.
    """
    spill = scratch / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    con = Backend()
    con.do_connect(
        ":memory:",
        memory_limit=memory_limit,
        threads=threads,
        temp_directory=str(spill),
        preserve_insertion_order=True,
        autoinstall_known_extensions=False,
    )
    try:
        for statement in _LOCKS:
            con.raw_sql(statement)
        yield con
    finally:
        con.disconnect()
