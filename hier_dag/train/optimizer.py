"""What applies gradients: Adam on a one-cycle schedule, row by row where a step meets few rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import OneCycleLR

from hier_dag.model.formulation import Formulation
from hier_dag.train.params import PretrainParams


class Optimizer:
    """Adam with a learning rate of its own for the gates.

    In sampled training the tables are updated where a step met them: SparseAdam moves those rows and their
    moments alone, and costs what the step touched. Rows that no step meets keep their moments, where Adam
    would let them fade.

    Args:
        model: its parameters are updated in place.
        params: learning rates and the largest gradient norm.
        steps: of the whole training.
        add_up: adds up a figure over ranks that share the tables; None where this process holds them whole.
    """

    def __init__(
        self,
        model: Formulation,
        params: PretrainParams,
        steps: int,
        add_up: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self._add_up = add_up
        gates = model.paths.gates.log_alpha
        self.tables = model.tables if model.fanout is not None else []
        apart = {id(gates), *map(id, self.tables)}
        rest = [parameter for parameter in model.parameters() if id(parameter) not in apart]
        peaks = [params.learning_rate, params.learning_rate * params.gate_lr_multiplier]
        groups = [{"params": rest, "lr": peaks[0]}, {"params": [gates], "lr": peaks[1]}]
        self.dense, self._clip = [*rest, gates], params.clip
        # OneCycleLR divides by (its first phase's steps - 1); 4 steps is the least that keeps it above zero.
        total = max(4, steps)
        adam = torch.optim.Adam(groups, fused=True)
        self._parts: dict[str, tuple[torch.optim.Optimizer, OneCycleLR]] = {
            "adam": (adam, OneCycleLR(adam, peaks, total_steps=total))
        }
        if self.tables:
            by_row = torch.optim.SparseAdam(self.tables, lr=peaks[0])
            self._parts["tables"] = by_row, OneCycleLR(by_row, peaks[0], total_steps=total)

    @property
    def learning_rate(self) -> float:
        """What the next step takes, in all parameters but the gates."""
        return float(self._parts["adam"][0].param_groups[0]["lr"])

    def zero_grad(self) -> None:
        """Forgets all gradients."""
        for optimizer, _ in self._parts.values():
            optimizer.zero_grad(set_to_none=True)

    def clip(self) -> Tensor:
        """Scales the gradients to the largest norm allowed; gives the norm that they had, a scalar."""
        for table in self.tables:
            if table.grad is not None:
                table.grad = table.grad.coalesce()
        values = [table.grad._values() for table in self.tables if table.grad is not None]
        dense = [p.grad for p in self.dense if p.grad is not None]
        norm = torch.nn.utils.get_total_norm([*dense, *([] if self._add_up else values)])
        if self._add_up is not None:
            norm = (norm**2 + self._add_up(torch.nn.utils.get_total_norm(values) ** 2)).sqrt()
        torch.nn.utils.clip_grads_with_norm_(self.dense, self._clip, norm)
        for value in values:
            value.mul_((self._clip / (norm + 1e-6)).clamp(max=1))
        return norm

    def step(self) -> None:
        """Applies the gradients, and goes on in the schedule."""
        for optimizer, schedule in self._parts.values():
            optimizer.step()
            schedule.step()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Moments as tensors by part, number and name, and everything else as JSON."""
        tensors: dict[str, Tensor] = {}
        rest: dict[str, Any] = {}
        for part, (optimizer, schedule) in self._parts.items():
            held = optimizer.state_dict()
            for number, state in held["state"].items():
                # SparseAdam counts its steps in a plain number.
                tensors |= {f"{part}/{number}/{name}": torch.as_tensor(x) for name, x in state.items()}
            rest[part] = {"groups": held["param_groups"], "schedule": schedule.state_dict()}
        return tensors, rest

    def load(self, tensors: dict[str, Tensor], rest: dict[str, Any]) -> None:
        """The inverse of `state`."""
        for part, (optimizer, schedule) in self._parts.items():
            state: dict[int, dict[str, Any]] = {}
            for name, tensor in _below(tensors, part):
                number, what = name.split("/")
                plain = part == "tables" and what == "step"
                state.setdefault(int(number), {})[what] = int(tensor) if plain else tensor
            # JSON has no tuples; Adam's betas are one.
            groups = [group | {"betas": tuple(group["betas"])} for group in rest[part]["groups"]]
            optimizer.load_state_dict({"state": state, "param_groups": groups})
            schedule.load_state_dict(rest[part]["schedule"])


def _below(tensors: dict[str, Tensor], part: str) -> Iterable[tuple[str, Tensor]]:
    prefix = f"{part}/"
    return ((name.removeprefix(prefix), t) for name, t in tensors.items() if name.startswith(prefix))
