"""One module that is taken out."""

from __future__ import annotations

from dataclasses import dataclass

from hier_dag.study.cell import Overrides


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
