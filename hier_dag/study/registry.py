"""Every study by name. A new one is one file and one line here."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from hier_dag.config import PlatformConfig
from hier_dag.errors import UsageError
from hier_dag.study.ablation import AblationStudy
from hier_dag.study.cell import Cell
from hier_dag.study.interpretability import Interpretability
from hier_dag.study.platforms import Platforms
from hier_dag.study.scaling import Scaling
from hier_dag.study.sensitivity import Sensitivity
from hier_dag.study.study import Study

STUDIES: dict[str, Study] = {
    s.name: s for s in (Sensitivity(), Scaling(), AblationStudy(), Interpretability(), Platforms())
}


def study_named(name: str) -> Study:
    """A study.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in STUDIES:
        raise UsageError(f"no study is called {name!r}.", fix=_instead(name, STUDIES))
    return STUDIES[name]


def cells_named(study: Study, config: PlatformConfig, names: Iterable[str]) -> tuple[Cell, ...]:
    """Cells by key (`dim_32_s0`) or by label (`dim_32`, with all seeds), in the study's order.

    Raises:
        UsageError: naming what is no cell of the study.
    """
    cells = study.cells(config)
    names = list(names)
    known = {n for c in cells for n in (c.key, c.label)}
    for name in names:
        if name not in known:
            fix = _instead(name, dict.fromkeys(c.label for c in cells))
            raise UsageError(f"study {study.name} has no cell {name!r}.", fix=fix)
    return tuple(c for c in cells if {c.key, c.label} & set(names))


def _instead(name: str, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"choose one of {', '.join(known)}"
