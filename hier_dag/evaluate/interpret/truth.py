"""The truth that a sample platform plants beside its logs, in the numbers of a knowledge graph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hier_dag.errors import SourceError
from hier_dag.graph.csr import FloatArray

FOLDER = "truth"
_NONE = -1


@dataclass(frozen=True)
class Truth:
    """What was planted. Nothing but recovery reads it.

    Attributes:
        intents: names of the planted intents.
        exemplars: names of the planted exemplars.
        users: float32 [n_users, planted intents], share of each intent; zero where nothing is planted.
        items: int64 [n_items], planted exemplar; -1 where an item has none or several.
    """

    intents: tuple[str, ...]
    exemplars: tuple[str, ...]
    users: FloatArray
    items: NDArray[np.int64]


def read_truth(data: Path, user_ids: NDArray[np.object_], item_ids: NDArray[np.object_]) -> Truth | None:
    """Reads the folder `truth` beside some logs; None where there is none, as on every real platform.

    Args:
        data: folder of the declaration's data.
        user_ids: original id of each user number.
        item_ids: original id of each item number.

    Raises:
        SourceError: the folder is there and a file of it is missing, torn or lacks a column.
    """
    folder = data / FOLDER
    if not folder.is_dir():
        return None
    intents = _read(folder / "intents.parquet", "intent", "name")
    exemplars = _read(folder / "exemplars.parquet", "exemplar", "name")
    shares = _read(folder / "user_intents.parquet", "user_id", "intent", "share")
    kinds = _read(folder / "item_exemplars.parquet", "item_id", "exemplar")
    users = np.zeros((len(user_ids), intents.num_rows), np.float32)
    user = _numbers(user_ids, shares["user_id"])
    known = user != _NONE
    users[user[known], shares["intent"].to_numpy()[known]] = shares["share"].to_numpy()[known]
    item, kind = _numbers(item_ids, kinds["item_id"]), kinds["exemplar"].to_numpy()
    item, kind = item[item != _NONE], kind[item != _NONE]
    items = np.full(len(item_ids), _NONE, np.int64)
    items[item] = kind
    items[np.bincount(item, minlength=len(item_ids)) > 1] = _NONE
    return Truth(_names(intents, "intent"), _names(exemplars, "exemplar"), users, items)


def _read(file: Path, *columns: str) -> pa.Table:
    try:
        return pq.read_table(file, columns=list(columns)).select(columns)
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise SourceError(
            f"the planted truth cannot be read: {error}",
            file=str(file),
            fix="write the sample platform again (hier sample), or take its folder `truth` away",
        ) from error


def _names(table: pa.Table, number: str) -> tuple[str, ...]:
    return tuple(str(name) for name in table.sort_by(number)["name"].to_pylist())


def _numbers(ids: NDArray[np.object_], wanted: pa.ChunkedArray) -> NDArray[np.int64]:
    """Number of each id, -1 for those that the graph does not hold."""
    of = {id_: number for number, id_ in enumerate(ids)}
    return np.fromiter((of.get(id_, _NONE) for id_ in wanted.to_pylist()), np.int64, len(wanted))
