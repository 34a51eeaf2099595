"""What a sensor may look at often: names, sizes and times of raw files, never their contents."""

from __future__ import annotations

from collections.abc import Sequence

from hier_dag.config import PlatformConfig
from hier_dag.config.load import resolve_files, sqlite_file
from hier_dag.config.sources import TableSource
from hier_dag.digest import digest_of

LINKS = "*links"  # no domain can be called so


def file_states(config: PlatformConfig) -> dict[str, str]:
    """A digest per domain, and one for `LINKS`, over (path, bytes, mtime); empty where there is none to see.

    SQL tables on a server cannot be watched this way; their domains are refreshed by cron.
    """
    links: list[TableSource] = [s for k in type(config.links).model_fields for s in getattr(config.links, k)]
    links += [c for d in config.domains.values() for c in d.catalogue]
    watched: dict[str, Sequence[TableSource]] = {n: d.sources for n, d in config.domains.items()}
    return {name: _state(config, sources) for name, sources in {**watched, LINKS: links}.items()}


def _state(config: PlatformConfig, sources: Sequence[TableSource]) -> str:
    seen = []
    for source in sources:
        database = sqlite_file(config, source)
        files = resolve_files(config, source) if source.path is not None else []
        for file in [*files, *([database] if database and database.is_file() else [])]:
            stat = file.stat()
            seen.append([str(file), stat.st_size, stat.st_mtime_ns])
    return digest_of(seen) if seen else ""
