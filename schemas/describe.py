"""The columns of a Parquet file as plain records, for manifests and the UI."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from schemas.validate import Contract


def table_schema(path: str | Path, contract: Contract | None = None) -> list[dict[str, str]]:
    """Name, Arrow type and description of every column, in file order.

    Args:
        path: a Parquet file; only its footer is read.
        contract: where the descriptions come from; a file's own field metadata (`description`) goes first.
    """
    known = contract.descriptions if contract is not None else {}
    records = []
    for field in pq.read_schema(path):
        own = (field.metadata or {}).get(b"description", b"").decode()
        description = own or known.get(field.name, "")
        records.append({"name": field.name, "type": str(field.type), "description": description})
    return records
