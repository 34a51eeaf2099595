"""Which tables of a stage's artifact are checked against what, all failures collected.

A graph's contract is of more than tables: see `schemas/graph_contract/` and `schemas/shapes/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ibis.backends.duckdb import Backend

from schemas.embeddings import EMBEDDINGS
from schemas.events import EVENTS, QUARANTINE
from schemas.links import LINK_CONTRACTS
from schemas.validate import Failure, validate


def audit_events(con: Backend, files: Sequence[Path], quarantined: Sequence[Path] = ()) -> list[Failure]:
    """Canonical events of one domain and its quarantined rows, the files of each as one table."""
    found: list[Failure] = []
    if files:
        found += validate(con.read_parquet([str(f) for f in files]), EVENTS, name="events")
    return found + _audit_quarantine(con, quarantined)


def audit_links(con: Backend, folder: Path) -> list[Failure]:
    """Every table of the links artifact, quarantined rows too."""
    found: list[Failure] = []
    for name, contract in LINK_CONTRACTS.items():
        found += validate(con.read_parquet(str(folder / f"{name}.parquet")), contract, name=name)
    return found + _audit_quarantine(con, sorted((folder / "quarantine").glob("*.parquet")))


def _audit_quarantine(con: Backend, files: Sequence[Path]) -> list[Failure]:
    if not files:
        return []
    return validate(con.read_parquet([str(f) for f in files]), QUARANTINE, name="quarantine")


def audit_embeddings(con: Backend, folder: Path) -> list[Failure]:
    """Both vector tables of a published set."""
    found: list[Failure] = []
    for kind in ("user", "item"):
        table = con.read_parquet(str(folder / f"{kind}s.parquet")).rename(id=f"{kind}_id")
        found += validate(table.select("id", "vector", "origin"), EMBEDDINGS, name=f"{kind}s")
    return found
