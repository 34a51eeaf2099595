"""Adds faulty rows to a block, as real logs have them, and counts every one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hier_dag.sample.events import EventBlock
from hier_dag.sample.params import SampleParams
from hier_dag.sample.services import SERVICES, Service
from hier_dag.sample.streams import IntArray, stream

CLEAN = -1
KINDS = (
    "null_user_id",
    "empty_user_id",
    "null_item_id",
    "empty_item_id",
    "unknown_behavior",
    "missing_time",
    "unparseable_time",
    "epoch_zero_time",
    "far_future_time",
    "non_positive_weight",
    "nan_weight",
    "duplicate",
)
_DUPLICATES = 3  # as many duplicates as three other kinds


@dataclass(frozen=True)
class FaultyBlock:
    """A block with faulty rows among the clean ones.

    Attributes:
        events: clean rows, and after some of them a copy that is to be spoilt.
        fault: int64, index into KINDS of each row, or CLEAN; a duplicate is spoilt by being a copy.
    """

    events: EventBlock
    fault: IntArray


def kinds_of(service: Service) -> tuple[int, ...]:
    """Faults that a service's log can hold: none in a column that it lacks."""
    absent = set()
    if "behavior" not in service.columns:
        absent.add("unknown_behavior")
    if "weight" not in service.columns:
        absent |= {"non_positive_weight", "nan_weight"}
    # A typed timestamp is missing where a written one is unreadable.
    absent.add("unparseable_time" if service.clock == "timestamp" else "missing_time")
    if service.format == "csv":
        absent |= {"null_user_id", "null_item_id"}  # CSV knows only the empty field
    return tuple(i for i, kind in enumerate(KINDS) if kind not in absent)


def add_faults(params: SampleParams, service: Service, block: int, events: EventBlock) -> FaultyBlock:
    """Copies a share of the rows, each next to its original, and names the fault of each copy."""
    rng = stream(params.seed, "faults", SERVICES.index(service), block)
    # Of n + f rows, f are faulty: a share `dirty` of the rows that the log ends up with.
    copied = np.flatnonzero(rng.random(len(events)) < params.dirty / (1 - params.dirty))
    rows = np.concatenate([np.arange(len(events)), copied])
    order = np.argsort(rows, kind="stable")
    kinds = np.array(kinds_of(service))
    odds = np.where(kinds == KINDS.index("duplicate"), _DUPLICATES, 1.0)
    spoilt = rng.choice(kinds, len(copied), p=odds / odds.sum())
    fault = np.concatenate([np.full(len(events), CLEAN), spoilt])
    return FaultyBlock(events.take(rows[order]), fault[order])


def count_faults(fault: IntArray) -> dict[str, int]:
    """Rows of each kind of fault, kinds without any left out."""
    counts = np.bincount(fault[fault != CLEAN], minlength=len(KINDS))
    return {kind: int(count) for kind, count in zip(KINDS, counts, strict=True) if count}
