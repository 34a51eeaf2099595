"""A cell: one thing changed against the declared default, and a seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT = "default"
"""Label of the cell in which nothing is changed; every study compares with it."""


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """What differs from the declaration.

    Attributes:
        pretrain: parameters of `stages.pretrain` by name.
        transfer: parameters of `stages.transfer` by name.
        head: parameters of `stages.transfer.head` by name.
        links: share of item-entity links and of triples kept, in (0, 1].
        sources: source domains left; None leaves all.
    """

    pretrain: Mapping[str, Any] = field(default_factory=dict)
    transfer: Mapping[str, Any] = field(default_factory=dict)
    head: Mapping[str, Any] = field(default_factory=dict)
    links: float = 1.0
    sources: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Cell:
    """One cell of a study.

    Attributes:
        label: what is changed, ^[a-z0-9_]+$, such as `exemplars_64`.
        seed: of initialisation, sampling, tie breaking and of the links that are kept.
        overrides: the change itself.
        axis: what is swept, such as `exemplars`; empty where nothing is.
        at: where on the axis.
    """

    label: str
    seed: int = 0
    overrides: Overrides = field(default_factory=Overrides)
    axis: str = ""
    at: float | None = None

    @property
    def key(self) -> str:
        """Name of its Dagster partition, such as `exemplars_64_s0`."""
        return f"{self.label}_s{self.seed}"


def for_every_seed(cells: Iterable[Cell], seeds: Iterable[int]) -> tuple[Cell, ...]:
    """Every cell with every seed; all labels of the first seed come first."""
    cells = tuple(cells)
    return tuple(Cell(c.label, seed, c.overrides, c.axis, c.at) for seed in seeds for c in cells)
