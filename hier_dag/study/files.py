"""Files of a cell's artifact, and what their columns mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

RECORDS, USERS, CELL = "records.parquet", "users.parquet", "cell.json"

_MEANING = {
    "study": "name of the study",
    "cell": "what was changed against the declared default",
    "seed": "seed of the cell",
    "platform": "platform that the report is of",
    "domain": "target domain",
    "setting": "zero_shot or few_shot",
    "shots": "training interactions used: 0, per user, share of the domain, or all",
    "model": "hier, or a baseline's name",
    "variant": "how the model was made",
    "slice": "all users, those with source history, or cold ones",
    "metric": "what is measured",
    "k": "cutoff; 0 where there is none",
    "value": "mean over users",
    "low": "lower end of the 95 % bootstrap interval",
    "high": "upper end of the 95 % bootstrap interval",
    "users": "users scored",
    "seeds": "seeds averaged",
    "user": "number of the user in kg/graph",
    "ndcg": "NDCG of the user at the smallest cutoff",
    "hr": "HR of the user at the smallest cutoff",
}


def columns(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Name, type and meaning of every column of the tables in a staged folder."""
    import pyarrow.parquet as pq

    return {
        path.name: [
            {"name": f.name, "type": str(f.type), "description": _MEANING.get(f.name, "")}
            for f in pq.read_schema(path)
        ]
        for path in sorted(folder.glob("*.parquet"))
    }


def save_named(source: Path, out: Path, named: dict[str, Any]) -> None:
    """Writes a table again with constant columns before its own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(source)
    for at, (name, value) in enumerate(named.items()):
        kind = pa.string() if isinstance(value, str) else pa.int64()
        column = pa.array([value] * table.num_rows, kind)
        table = table.add_column(at, pa.field(name, kind, nullable=False), column)
    pq.write_table(table, out, compression="zstd")
