"""How much memory a pre-training will need, told before its first step; it decides what a step encodes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from hier_dag.errors import ConfigError
from hier_dag.model.formulation import Formulation
from hier_dag.model.reach import Fanout
from hier_dag.train.batches import SourcePairs
from hier_dag.train.params import PretrainParams

AUTO, FULL, SAMPLED = "auto", "full", "sampled"
_PAIR = 33  # bytes: user, item, domain and place in an epoch's order as int64, whether it was served
_LIBRARIES = 48 << 20  # what kernels, their threads' stacks and buffers take on a CPU at the first step
_SHARE = 0.9  # of free memory that a training may plan for


@dataclass(frozen=True)
class Need:
    """Bytes that a training needs beyond the graph that it was given.

    Attributes:
        graph: `full` or `sampled`.
        tables: parameters, the best epoch's copy and the optimiser's two moments.
        matrices: of the platform, with the transposes that gradients need, and the training pairs.
        step: gradients and what a step holds for them, at its peak.
        scoring: what scoring all items at an epoch's end holds, in its place.
        other: libraries.
    """

    graph: str
    tables: int
    matrices: int
    step: int
    scoring: int
    other: int

    @property
    def total(self) -> int:
        """At the peak."""
        return self.tables + self.matrices + max(self.step, self.scoring) + self.other

    def __str__(self) -> str:
        parts = {
            "tables": self.tables,
            "matrices": self.matrices,
            "a step": self.step,
            "scoring": self.scoring,
        }
        said = ", ".join(f"{name} {as_text(size)}" for name, size in parts.items())
        return f"about {as_text(self.total)} of memory on the {self.graph} graph ({said})".replace(
            "the sampled graph", "sampled neighbourhoods"
        )


def estimate(model: Formulation, pairs: SourcePairs, fanout: Fanout | None, sharing: int = 1) -> Need:
    """Adds up what a training will hold. Sizes of a sampled step are those of a batch that is drawn for it.

    Args:
        model: on any device; not trained yet.
        pairs: its training pairs. Random states are left as they were.
        fanout: how much a step draws; None for the full graph.
        sharing: ranks that share the tables.

    Raises:
        ConfigError: the formulation cannot be trained on samples.
    """
    rows = sum(p.numel() * p.element_size() for p in model.tables)
    tables = sum(p.numel() * p.element_size() for p in model.parameters()) - rows + rows // sharing
    drawn, before = torch.get_rng_state(), model.fanout
    try:
        if fanout is not None:
            model.sample(fanout)
        batch = pairs.batch(pairs.order(), 1)
        step = model.step_bytes(batch)
    finally:
        model.fanout = before
        torch.set_rng_state(drawn)
        pairs.served.zero_()
    gradients = tables if fanout is None else 0
    on_cpu = pairs.users.device.type == "cpu"
    return Need(
        graph=FULL if fanout is None else SAMPLED,
        tables=4 * tables,
        matrices=model.matrix_bytes(sampled=fanout is not None) + _PAIR * len(pairs),
        step=gradients + step,
        scoring=model.scoring_bytes(),
        other=_LIBRARIES if on_cpu else 0,
    )


def plan(
    model: Formulation,
    pairs: SourcePairs,
    params: PretrainParams,
    free: int,
    began_on: str | None = None,
    sharing: int = 1,
) -> Need:
    """What the declared `graph` comes to here; the model is told.

    Args:
        model: not trained yet.
        pairs: its training pairs.
        params: `graph` and the fanouts.
        free: bytes that may be used.
        began_on: `full` or `sampled` where this training has begun before: memory that is free now does not
            turn it into another one.
        sharing: ranks that share the tables, which they can in sampled training alone.

    Returns:
        The need of what was chosen.

    Raises:
        ConfigError: samples or shared tables were declared for a formulation that cannot be trained on
            them, or shared tables beside the full graph.
    """
    fanout = Fanout(params.neighbour_fanout, params.history_fanout)
    graph = began_on if params.graph == AUTO and began_on is not None else params.graph
    if sharing > 1:
        if params.graph == FULL:
            raise ConfigError(
                "ranks that share tables train on samples: a step on the full graph needs every row",
                column="trainer.shard_tables",
                fix="set stages.pretrain.graph to auto or sampled, or leave shard_tables out",
            )
        graph = SAMPLED
    if graph == SAMPLED:
        need = estimate(model, pairs, fanout, sharing)
    else:
        need = estimate(model, pairs, None)
        if graph == AUTO and need.total > _SHARE * free:
            need = _smaller(need, model, pairs, fanout)
    model.fanout = None
    if need.graph == SAMPLED:
        model.sample(fanout)
    return need


def _smaller(full: Need, model: Formulation, pairs: SourcePairs, fanout: Fanout) -> Need:
    """The need of samples where that is the smaller one, and where the formulation knows them."""
    try:
        sampled = estimate(model, pairs, fanout)
    except ConfigError:
        return full
    return min(full, sampled, key=lambda need: need.total)


def free_bytes(device: torch.device, memory: Path = Path("/proc/meminfo"), group: Path | None = None) -> int:
    """Bytes that this process may still take on a device.

    Args:
        device: where training runs.
        memory: what the kernel says of this machine.
        group: folder of the control group that limits this process, as a container sees it.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        said = dict(line.split(":") for line in memory.read_text(encoding="utf-8").splitlines())
        here = int(said["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError):  # no Linux
        here = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([here, *_left_in(Path("/sys/fs/cgroup") if group is None else group)])


def _left_in(group: Path) -> list[int]:
    """What a control group leaves, by version 2's names or version 1's; nothing where it sets no limit."""
    left = []
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            most = (group / limit).read_text(encoding="utf-8").strip()
            if most.isdigit():  # else `max`
                left.append(max(0, int(most) - int((group / used).read_text(encoding="utf-8"))))
        except OSError:
            continue
    return left


def as_text(size: int) -> str:
    """Bytes as people read them: 640 MB, 1.4 GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
