"""Rows of a table that a step meets, with a gradient of those rows alone."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

Rows = Callable[[Tensor, Tensor], Tensor]
"""(table [n, d], numbers int64 [m]) → [m, d]. Where ranks share the tables each asks the others."""


def own_rows(table: Tensor, numbers: Tensor) -> Tensor:
    """Rows of a table that this process holds whole; their gradient is sparse."""
    return F.embedding(numbers, table, sparse=True)
