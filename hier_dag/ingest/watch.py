"""What a sensor may look at often: names, sizes and times of raw files, never their contents."""

from __future__ import annotations

from hier_dag.config import PlatformConfig
from hier_dag.config.load import resolve_files, sqlite_file
from hier_dag.digest import digest_of


def file_states(config: PlatformConfig) -> dict[str, str]:
    """A digest per domain over (path, bytes, mtime) of its files; empty where there is none to see.

    SQL tables on a server cannot be watched this way; their domains are refreshed by cron.
    """
    states = {}
    for name, domain in config.domains.items():
        seen = []
        for source in (*domain.sources, *domain.catalogue):
            database = sqlite_file(config, source)
            files = resolve_files(config, source) if source.path is not None else []
            for file in [*files, *([database] if database and database.is_file() else [])]:
                stat = file.stat()
                seen.append([str(file), stat.st_size, stat.st_mtime_ns])
        states[name] = digest_of(seen) if seen else ""
    return states
