"""How far vectors that were made twice are from each other."""

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
        None where the kind holds no vectors, or their numbers differ.
    """
    if kind not in _FILES:
        return None
    one, two = _arrays(kind, recorded), _arrays(kind, now)
    if one.keys() != two.keys() or any(one[name].shape != two[name].shape for name in one):
        return None
    apart = {n: float(np.abs(one[n] - two[n]).max(initial=0)) for n in one}
    scale = {n: float(np.abs(one[n]).max(initial=0)) for n in one}
    return Figures(
        max_abs=max(apart.values(), default=0.0),
        max_rel=max((apart[n] / scale[n] if scale[n] else apart[n] for n in one), default=0.0),
        overlap=_overlap(one, two),
    )


_FILES = {ENCODER: "encoding.safetensors", MODEL: "vectors.safetensors", PUBLISHED: ""}


def _arrays(kind: str, folder: Path) -> dict[str, Vectors]:
    if kind != PUBLISHED:
        arrays = load_file(folder / _FILES[kind])
        return {name: a for name, a in arrays.items() if a.dtype == np.float32}
    vectors = {}
    for side in ("user", "item"):
        column = pq.read_table(folder / f"{side}s.parquet", columns=["vector"])["vector"].combine_chunks()
        vectors[f"{side}_vectors"] = column.flatten().to_numpy().reshape(len(column), -1)
    return vectors


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
