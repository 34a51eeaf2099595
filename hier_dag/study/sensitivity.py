"""Sensitivity: exemplars K, intents P, width d and layers, one at a time around the declared default."""

from __future__ import annotations

from collections.abc import Sequence

from hier_dag.config import PlatformConfig
from hier_dag.study.cell import DEFAULT, Cell, Overrides, for_every_seed
from hier_dag.study.study import Finished, Summary
from hier_dag.study.trained import TrainedStudy

_WORDS = {"exemplars": "exemplars K", "intents": "intents P", "dim": "width d", "layers": "layers"}
_FACTORS = {"exemplars": (0.25, 0.5, 2, 4), "intents": (0.25, 0.5, 2, 4), "dim": (0.5, 2)}
_LAYERS = (1, 2, 3)


class Sensitivity(TrainedStudy):
    """How much the size of the model matters."""

    name = "sensitivity"
    what = "How do the numbers of exemplars and intents, the width and the layers move quality and time?"

    def cells(self, config: PlatformConfig) -> tuple[Cell, ...]:
        """The default, then every value of every parameter."""
        sweeps, cells = config.studies.sensitivity, [Cell(DEFAULT)]
        for axis in _WORDS:
            declared: int = getattr(config.stages.pretrain, axis)
            given: tuple[int, ...] | None = getattr(sweeps, axis)
            for value in _around(axis, declared) if given is None else sorted(set(given) - {declared}):
                change = Overrides(pretrain={axis: value})
                cells.append(Cell(f"{axis}_{value}", overrides=change, axis=axis, at=value))
        return for_every_seed(cells, config.studies.seeds)

    def summarise(self, config: PlatformConfig, finished: Sequence[Finished]) -> Summary:
        """Quality of every value against the declared one, per target and on their mean."""
        from hier_dag.study.sweep import sweep_summary

        declared = {axis: float(getattr(config.stages.pretrain, axis)) for axis in _WORDS}
        note = (
            "One parameter at a time; mean of the targets. Change: against the declared value, paired over "
            "users, with its 95 % bootstrap interval; *: the interval leaves 0 out."
        )
        resamples = config.stages.transfer.bootstrap
        return sweep_summary(finished, declared, _WORDS, resamples, note, seconds=True)


def _around(axis: str, declared: int) -> list[int]:
    """Values besides the declared one, ascending."""
    values = _LAYERS if axis == "layers" else [max(1, round(f * declared)) for f in _FACTORS[axis]]
    return sorted(set(values) - {declared})
