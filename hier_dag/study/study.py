"""What every study can say and do; one file a study fills it in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from hier_dag.config import PlatformConfig
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import GRAPH, STUDY
from hier_dag.pipeline.workshop import Built, Workshop
from hier_dag.registry import Registry
from hier_dag.store import Artifact
from hier_dag.study.cell import DEFAULT, Cell

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Finished:
    """A cell whose artifact is there, with the seconds that making its figures took."""

    cell: Cell
    artifact: Artifact
    seconds: dict[str, float]


@dataclass(frozen=True)
class Summary:
    """What a study shows.

    Attributes:
        table: every figure, a row each.
        head: columns of the short table.
        rows: the short table; text and numbers.
        png: its picture.
        note: how to read them, one or two sentences.
        more: further pictures by name.
    """

    table: pa.Table
    head: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    png: bytes
    note: str
    more: Mapping[str, bytes] = field(default_factory=dict)


class Study(ABC):
    """A named set of cells.

    Attributes:
        name: such as `sensitivity`.
        what: the question it answers, for people.
        above: artifact kind that its cells are made from.
        needs: labels without which there is nothing to compare.
        pool: Dagster pool of its runs, where they train.
    """

    name: ClassVar[str]
    what: ClassVar[str]
    above: ClassVar[str] = GRAPH
    needs: ClassVar[tuple[str, ...]] = (DEFAULT,)
    pool: ClassVar[str | None] = None

    @property
    def kind(self) -> str:
        """Artifact kind of its cells."""
        return f"{STUDY}/{self.name}"

    @abstractmethod
    def cells(self, config: PlatformConfig) -> tuple[Cell, ...]:
        """Its cells on a platform, the ones that others are compared with first."""

    @abstractmethod
    def request(self, config: PlatformConfig, registry: Registry, cell: Cell) -> Request:
        """What a cell would be made from now.

        Raises:
            ContractError: when something above is not there.
        """

    @abstractmethod
    def build(
        self, config: PlatformConfig, workshop: Workshop, cell: Cell, request: Request, staged: Path, run: str
    ) -> Built:
        """Makes a cell's files; `run` is the id of the run that asks."""

    @abstractmethod
    def summarise(self, config: PlatformConfig, finished: Sequence[Finished]) -> Summary:
        """Compares the cells that are there; all of `needs` are among them."""
