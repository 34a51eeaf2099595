"""The data engine: Ibis on an embedded DuckDB with bounded memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from ibis.backends.duckdb import Backend


class DataEngine(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Opens DuckDB connections that spill to disk beyond their memory."""

    scratch: str
    memory_limit: str = "1GB"
    threads: int = 2

    @contextmanager
    def connect(self) -> Iterator[Backend]:
        """A connection, closed on leaving."""
        from hier_dag.ingest.connection import connect

        with connect(Path(self.scratch), memory_limit=self.memory_limit, threads=self.threads) as con:
            yield con
