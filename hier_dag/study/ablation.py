"""Ablation: every module taken out, next to a control that keeps all but the module's own idea."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hier_dag.config import PlatformConfig
from hier_dag.study.ablation_cell import Ablation
from hier_dag.study.ablation_list import ABLATIONS
from hier_dag.study.cell import DEFAULT, Cell, for_every_seed
from hier_dag.study.study import Finished, Summary
from hier_dag.study.trained import TrainedStudy

if TYPE_CHECKING:
    from hier_dag.evaluate.ablation_section import Earned


class AblationStudy(TrainedStudy):
    """What every module earns."""

    name = "ablation"
    what = "What does every module earn, against leaving it out and against a matched control?"

    def __init__(self, ablations: tuple[Ablation, ...] = ABLATIONS) -> None:
        self.ablations = ablations

    def cells(self, config: PlatformConfig) -> tuple[Cell, ...]:
        """The default, then every ablation with its control."""
        cells = [Cell(DEFAULT)]
        for one in self.ablations:
            cells.append(Cell(one.name, overrides=one.overrides))
            if one.control_overrides is not None:
                cells.append(Cell(one.control, overrides=one.control_overrides))
        return for_every_seed(cells, config.studies.seeds)

    def summarise(self, config: PlatformConfig, finished: Sequence[Finished]) -> Summary:
        """What the default gains over every ablation and its control, with paired tests."""
        from hier_dag.study.ablation_summary import ablation_summary

        return ablation_summary(self.ablations, finished, config.stages.transfer.bootstrap)

    def earned(self, config: PlatformConfig, finished: Sequence[Finished]) -> dict[str, list[Earned]]:
        """What every module earns against its control, by target; nothing while the default is not done."""
        from hier_dag.study.earned import earned

        if not {f.cell.label for f in finished}.issuperset(self.needs):
            return {}
        return earned(self.ablations, finished, config.stages.transfer.bootstrap)
