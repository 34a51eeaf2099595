"""Formulations by the name that domains.yaml gives them."""

from __future__ import annotations

from collections.abc import Callable

from hier_dag.model.dual import Dual
from hier_dag.model.formulation import Formulation
from hier_dag.model.literal import Literal
from hier_dag.model.recommended import Recommended
from hier_dag.model.source_view import SourceView
from hier_dag.train.params import PretrainParams

FORMULATIONS: dict[str, Callable[[SourceView, PretrainParams], Formulation]] = {
    "dual": Dual,
    "recommended": Recommended,
    "literal": Literal,
}


def build_model(view: SourceView, params: PretrainParams) -> Formulation:
    """The formulation that `params.model` names, freshly initialised from torch's random state.

    Raises:
        ConfigError: the formulation cannot be built with these parameters.
    """
    return FORMULATIONS[params.model](view, params)
