"""What the raw inputs are and a digest of each: bytes are hashed, nothing is parsed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hier_dag.config.load import resolve_files, sqlite_file
from hier_dag.config.models import PlatformConfig
from hier_dag.config.sources import TableSource
from hier_dag.errors import SourceError
from hier_dag.ingest import sql


@dataclass(frozen=True)
class RawInput:
    """One raw file or SQL table.

    Attributes:
        source: index of the declaration that names it.
        location: path relative to `data` (whole where it lies elsewhere), or `url#table` without password.
        sha256: digest of the bytes as they lie on disk, or of the table's rows in a fixed order.
        bytes: how many bytes were hashed.
        format: parquet, csv, jsonl or sql.
        domain: the domain it belongs to; None where all share it.
    """

    source: int
    location: str
    sha256: str
    bytes: int
    format: str
    domain: str | None = None


def fingerprint(config: PlatformConfig, sources: Sequence[TableSource], domain: str | None) -> list[RawInput]:
    """Hashes every file and table that `sources` name, in declared order, files of a glob by name.

    Raises:
        SourceError: when a file is missing or empty, a glob matches nothing, or a table cannot be read.
    """
    inputs: list[RawInput] = []
    for index, source in enumerate(sources):
        if source.path is not None:
            for path in _files(config, source, domain):
                digest, size = _hash_file(path, domain)
                location = locate(config, path)
                kind = source.file_format(str(path))
                inputs.append(RawInput(index, location, digest, size, kind, domain))
        else:
            digest, size = _hash_table(config, source, domain)
            inputs.append(RawInput(index, sql.location(source), digest, size, "sql", domain))
    return inputs


def locate(config: PlatformConfig, path: Path) -> str:
    """The path as artifacts record it: relative to `data`, so that two machines agree."""
    data = config.data_dir()
    return path.relative_to(data).as_posix() if path.is_relative_to(data) else path.as_posix()


def _files(config: PlatformConfig, source: TableSource, domain: str | None) -> list[Path]:
    files = resolve_files(config, source)
    if not files:
        raise SourceError(
            f"no file matches {source.path!r} under {config.data_dir()}.",
            domain=domain,
            file=source.path,
            fix="correct `path` in domains.yaml, or set `data` to the folder that holds the logs",
        )
    return files


def _hash_file(path: Path, domain: str | None) -> tuple[str, int]:
    try:
        with path.open("rb") as f:
            digest = hashlib.file_digest(f, "sha256").hexdigest()
            size = f.tell()
    except OSError as e:
        raise SourceError(
            f"cannot be read: {e.strerror}.", domain=domain, file=str(path), fix="check that it is readable"
        ) from e
    if size == 0:
        raise SourceError(
            "empty file (0 bytes): not even a header or a footer.",
            domain=domain,
            file=str(path),
            fix="deliver the file again; a day without events still has a header",
        )
    return digest, size


def _hash_table(config: PlatformConfig, source: TableSource, domain: str | None) -> tuple[str, int]:
    database = sqlite_file(config, source)
    if database is None:
        return sql.snapshot_digest(config, source, domain)
    if not database.is_file():
        raise SourceError(
            f"there is no SQLite file {database}.",
            domain=domain,
            file=sql.location(source),
            fix="correct the URL (sqlite:///relative/to/data.sqlite)",
        )
    digest, size = _hash_file(database, domain)
    log = database.with_name(database.name + "-wal")
    if not log.is_file() or log.stat().st_size == 0:
        return digest, size
    # Rows committed but not yet moved into the database file live in its write-ahead log.
    log_digest, log_size = _hash_file(log, domain)
    return hashlib.sha256(f"{digest} {log_digest}".encode()).hexdigest(), size + log_size
