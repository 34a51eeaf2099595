"""Which newest answers a declaration asks for: those of what it no longer declares need not stay."""

from __future__ import annotations

from hier_dag.config import PlatformConfig
from hier_dag.pipeline.stages import (
    CORRECTIONS,
    ENCODER,
    EVENTS,
    GRAPH,
    LINKS,
    MODEL,
    PUBLISHED,
    REFUSED,
    STUDY,
)
from hier_dag.study.registry import STUDIES


class Declared:
    """What one platform declares.

    Args:
        config: of the platform.
    """

    def __init__(self, config: PlatformConfig) -> None:
        self.platform = config.platform
        every, targets, shared = {*config.domains}, {*config.target_names}, {None}
        self._partitions: dict[str, set[str | None]] = {
            EVENTS: {*every},
            CORRECTIONS: {*every},
            REFUSED: {*every, None},
            LINKS: {*shared},
            GRAPH: {*shared},
            ENCODER: {*shared},
            MODEL: {*targets},
            PUBLISHED: {*targets},
            **{s.kind: {cell.key for cell in s.cells(config)} for s in STUDIES.values()},
        }

    def asks_for(self, kind: str, partition: str | None) -> bool:
        """Whether the newest answer of a kind and partition is wanted; one of an unknown kind is."""
        if kind in self._partitions:
            return partition in self._partitions[kind]
        return not kind.startswith(f"{STUDY}/")
