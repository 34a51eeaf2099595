"""Slices of a domain that are always reported apart: of its users, and of its test items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hier_dag.model.encoding import TRAINED

SLICES = ("all", "with_history", "cold")
COLD_ITEMS = "cold_items"
"""The slice of test items that no few-shot training interaction knows; its users have at least one."""


def slice_masks(origin: NDArray[np.int8]) -> dict[str, NDArray[np.bool_]]:
    """Membership of users in each slice, bool [n]; slices without a user are left out.

    Args:
        origin: int8 [n], `Encoding.user_origin` of the evaluated users: TRAINED means that the user
            has source history; any other user is cold.
    """
    known = origin == TRAINED
    masks = {"all": np.ones(len(origin), dtype=bool), "with_history": known, "cold": ~known}
    return {name: masks[name] for name in SLICES if masks[name].any()}
