"""The columns of a Parquet file as plain records, for manifests and the UI."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq


def table_schema(path: str | Path, descriptions: Mapping[str, str] | None = None) -> list[dict[str, str]]:
    """Name, Arrow type and description of every column, in file order.

    Args:
        path: a Parquet file; only its footer is read.
        descriptions: meaning of each column by name; a file's own field metadata (`description`) goes first.
    """
    known = descriptions or {}
    records = []
    for field in pq.read_schema(path):
        own = (field.metadata or {}).get(b"description", b"").decode()
        description = own or known.get(field.name, "")
        records.append({"name": field.name, "type": str(field.type), "description": description})
    return records
