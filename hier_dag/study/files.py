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
    "what": "what the figure is of: paths, intents, families of intents, exemplars",
    "evidence": "source interactions that the users or items compared have at least; 0 where none are",
    "things": "users or items compared, or things counted",
    "intent": "number of the user's strongest intent; of the intent",
    "family": "number of the family of intents",
    "name": "what it is called",
    "family_name": "what the intent's family is called",
    "strength": "mean strength of the intents over the users with source history",
    "intents": "how many intents the family has",
    "planted": "planted intent that the family stands for; empty without a planted truth",
    "share": "of the users whose strongest family it is, those whose strongest planted intent it is",
    "exemplar": "number of the exemplar",
    "weight": "share of the exemplar in what the intent leads to",
    "size": "source items nearest to the exemplar",
    "rank": "1 is first",
    "entity_id": "original id of the entity",
    "entity_name": "name to show",
    "score": "log-odds of the entity against the platform, in standard errors",
    "item_id": "original id of the item",
    "visits": "source interactions of the item",
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
