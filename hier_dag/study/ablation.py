"""Ablation: every module taken out, next to a control that keeps all but the module's own idea."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hier_dag.config import PlatformConfig
from hier_dag.study.cell import DEFAULT, Cell, Overrides, for_every_seed
from hier_dag.study.study import Finished, Summary
from hier_dag.study.trained import TrainedStudy


@dataclass(frozen=True)
class Ablation:
    """A module that is taken out.

    Attributes:
        name: ^[a-z0-9_]+$, label of its cell; the control's is `<name>_control`.
        what: the module, for people.
        overrides: take it out.
        control_overrides: take its idea out and keep its score scale, weights and losses; None where taking
            it out already changes nothing else, as for the weight of a loss term.
    """

    name: str
    what: str
    overrides: Overrides
    control_overrides: Overrides | None = None

    @property
    def control(self) -> str:
        """Label of the cell that the default must beat for the module to have earned its place."""
        return self.name if self.control_overrides is None else f"{self.name}_control"


ABLATIONS: tuple[Ablation, ...] = (
    Ablation("no_path_sparsity", "sparsity of the decision path", Overrides(pretrain={"path_weight": 0.0})),
    Ablation("no_bottleneck", "information-bottleneck contrast", Overrides(pretrain={"mi_weight": 0.0})),
    Ablation("no_exemplar_contrast", "exemplar contrast", Overrides(pretrain={"exemplar_weight": 0.0})),
    Ablation(
        "no_auxiliary", "rank loss on the intent-enhanced view", Overrides(pretrain={"auxiliary_weight": 0.0})
    ),
)
"""Every ablation, in the order in which it is shown."""


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
