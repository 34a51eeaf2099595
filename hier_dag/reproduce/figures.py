"""How far vectors, and an encoder's weights, that were made twice are from each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from safetensors.numpy import load_file

from hier_dag.pipeline.stages import ENCODER, MODEL, PUBLISHED

_USERS, _BEST = 1000, 10
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Figures:
    """Distance of two versions of the same vectors.

    Attributes:
        max_abs: largest difference of two entries.
        max_rel: the same against the largest entry of the array that it is in.
        overlap: share of a user's ten best items that both find, mean over up to 1,000 users; None where
            nothing is ranked.
    """

    max_abs: float
    max_rel: float
    overlap: float | None

    def as_json(self) -> dict[str, Any]:
        """They as a JSON-serialisable record."""
        return asdict(self)


def figures_of(kind: str, recorded: Path, now: Path) -> Figures | None:
    """The distance of what two artifacts of a kind hold.

    Args:
        kind: kind of artifact.
        recorded: folder of the one that is stored.
        now: folder of the one that was built again.

    Returns:
        None where the kind holds no vectors, or they are not of the same ids. Vectors of users and items are
        compared id by id, whatever their order.
    """
    if kind not in _FILES:
        return None
    (one, ids), (two, others) = _arrays(kind, recorded), _arrays(kind, now)
    if ids != others or one.keys() != two.keys() or any(one[name].shape != two[name].shape for name in one):
        return None
    apart = {n: float(np.abs(one[n] - two[n]).max(initial=0)) for n in one}
    scale = {n: float(np.abs(one[n]).max(initial=0)) for n in one}
    # NumPy's largest, which is NaN where one is: Python's passes over it.
    return Figures(
        max_abs=float(np.max([*apart.values()], initial=0)),
        max_rel=float(np.max([apart[n] / (scale[n] or 1) for n in one], initial=0)),
        overlap=_overlap(one, two),
    )


_WEIGHTS = "model.safetensors"
_FILES = {ENCODER: "encoding.safetensors", MODEL: "vectors.safetensors", PUBLISHED: ""}


def _arrays(kind: str, folder: Path) -> tuple[dict[str, Vectors], dict[str, list[Any]]]:
    """Arrays of float32 by name, those of users and items in the order of their ids; and these ids."""
    if kind == PUBLISHED:
        arrays, ids = {}, {}
        for side in ("user", "item"):
            table = pq.read_table(folder / f"{side}s.parquet", columns=[f"{side}_id", "vector"])
            column = table["vector"].combine_chunks()
            arrays[f"{side}_vectors"] = column.flatten().to_numpy().reshape(len(column), -1)
            ids[side] = table[f"{side}_id"].to_numpy()
    else:
        found = load_file(folder / _FILES[kind])
        if kind == ENCODER:  # weights, from which the next training goes on, are bounded like vectors
            found |= {f"weights.{name}": a for name, a in load_file(folder / _WEIGHTS).items()}
        arrays = {name: a for name, a in found.items() if a.dtype == np.float32}
        # An encoding is by the graph's own numbers, which need no list.
        ids = {side: found[f"{side}s"] for side in ("user", "item")} if kind == MODEL else {}
    for side, known in ids.items():
        order = np.argsort(known, kind="stable")
        arrays[f"{side}_vectors"], ids[side] = arrays[f"{side}_vectors"][order], known[order]
    return arrays, {side: known.tolist() for side, known in ids.items()}


def _overlap(recorded: Mapping[str, Vectors], now: Mapping[str, Vectors]) -> float | None:
    users, items = ("user_vectors", "item_vectors") if "user_vectors" in recorded else ("users", "items")
    if users not in recorded or min(len(recorded[users]), len(recorded[items])) == 0:
        return None
    step = max(1, len(recorded[users]) // _USERS)
    best = [_best(a[users][::step][:_USERS], a[items], a.get("item_bias")) for a in (recorded, now)]
    both = [len(np.intersect1d(a, b)) for a, b in zip(*best, strict=True)]
    return float(np.mean(both) / best[0].shape[1])


def _best(users: Vectors, items: Vectors, bias: Vectors | None) -> NDArray[np.int64]:
    scores = users @ items.T + (0 if bias is None else bias)
    return np.argsort(-scores, axis=1, kind="stable")[:, :_BEST]
