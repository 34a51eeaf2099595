"""What a kind of artifact promises when it is built again, by what is not as it was then: one table.

Another folder and another process are no condition: they change nothing, in any kind.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from hier_dag.erasure.suppress import BEFORE
from hier_dag.pipeline.stages import (
    CORRECTIONS,
    ENCODER,
    EVENTS,
    GRAPH,
    LINKS,
    MODEL,
    PUBLISHED,
    REFUSED,
    RESULT,
    STUDY,
)
from hier_dag.reproduce.figures import Figures
from hier_dag.store import Manifest

SAME, THREADS, ENVIRONMENT, DEVICE, PARENTS = "same", "threads", "environment", "device", "parents"
CONDITIONS = {
    SAME: "everything as it was: environment, device and threads",
    THREADS: "another number of threads (of the data engine, or of training and transfer)",
    ENVIRONMENT: "another Python, machine or version of a distribution",
    DEVICE: "another device, or another number of processes that train together",
    PARENTS: "parents that were built again and are within their own tolerance (--deep)",
}
CELLS = tuple(f"{STUDY}/{name}" for name in ("sensitivity", "scaling", "ablation"))
"""Kinds of the cells of studies that share their work."""
INTERPRETED, PLATFORMS = f"{STUDY}/interpretability", f"{STUDY}/platforms"
EXACT, VALUES, TOLERANCE, GIVEN = "exact", "values", "tolerance", "given"


@dataclass(frozen=True)
class Promise:
    """What is promised of an artifact that is built again.

    Attributes:
        level: `exact`, every byte; `values`, every value of every table, array and JSON file; `tolerance`,
            the bounds below for vectors, and every value that does not follow from them (`dependent`);
            `given`, nothing to build (`is_given`).
        max_rel: bound of `Figures.max_rel`.
        min_overlap: bound of `Figures.overlap`.
    """

    level: str
    max_rel: float = 0.0
    min_overlap: float = 1.0

    def holds(self, figures: Figures | None) -> bool:
        """Whether vectors are within the bounds."""
        if self.level != TOLERANCE or figures is None:
            return False
        overlap = 1.0 if figures.overlap is None else figures.overlap
        return figures.max_rel <= self.max_rel and overlap >= self.min_overlap

    def as_json(self) -> dict[str, Any]:
        """It as a JSON-serialisable record."""
        return asdict(self)


_EXACT, _VALUES = Promise(EXACT), Promise(VALUES)
_NEAR = Promise(TOLERANCE, max_rel=0.05, min_overlap=0.95)
"""Floats added in another order, through all of a training: measured in benchmarks/reproduce.py."""
_LIKE = Promise(TOLERANCE, max_rel=0.5, min_overlap=0.5)
"""Other kernels altogether: the decisions of a training may fall otherwise, and its figures tell how far."""

_ROWS = {SAME: _EXACT, THREADS: _EXACT, ENVIRONMENT: _VALUES, DEVICE: _EXACT, PARENTS: _EXACT}
_TRAINED = {SAME: _EXACT, THREADS: _NEAR, ENVIRONMENT: _LIKE, DEVICE: _LIKE, PARENTS: _LIKE}
PROMISES: dict[str, dict[str, Promise]] = {
    EVENTS: _ROWS,
    LINKS: _ROWS,
    REFUSED: _ROWS,
    GRAPH: _ROWS,
    ENCODER: _TRAINED,
    MODEL: _TRAINED,
    PUBLISHED: {SAME: _EXACT, THREADS: _EXACT, ENVIRONMENT: _LIKE, DEVICE: _EXACT, PARENTS: _LIKE},
    # Figures of a training: no bound is declared, so that another environment is looked at by a person.
    RESULT: dict.fromkeys(CONDITIONS, _EXACT),
    **{kind: dict.fromkeys(CONDITIONS, _EXACT) for kind in (*CELLS, INTERPRETED, PLATFORMS)},
    CORRECTIONS: dict.fromkeys(CONDITIONS, Promise(GIVEN)),
}
_LEVELS = (EXACT, VALUES, TOLERANCE, GIVEN)


def promise_of(kind: str, conditions: Iterable[str]) -> Promise:
    """The weakest promise of a kind among the conditions that hold.

    Args:
        kind: kind of artifact that is built, one of `PROMISES`.
        conditions: of `CONDITIONS`, those that hold besides `same`.
    """
    promises = [PROMISES[kind][name] for name in (SAME, *conditions)]
    return max(promises, key=lambda p: (_LEVELS.index(p.level), p.max_rel))


def is_given(manifest: Manifest) -> bool:
    """Whether there is nothing to build: people gave it, or an erasure made it of a set that is gone."""
    return manifest.kind == CORRECTIONS or BEFORE in manifest.parents
