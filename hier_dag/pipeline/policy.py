"""How sets of a platform go live: gates, places and sinks, as domains.yaml declares them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hier_dag.config import PlatformConfig
from hier_dag.publish.sinks.params import LanceSink, PgVectorSink
from hier_dag.registry.aliases import LIVE


@dataclass(frozen=True)
class Policy:
    """How sets of a platform go live.

    Attributes:
        home: folder of the platform's own state, where readers on this machine look.
        copies: further places, folders or URLs, that hold copies of sets and records.
        transfer_blocks: whether transfer that loses needs a waiver.
        breaking_blocks: whether a breaking space needs approval.
        alias: that is moved.
        sinks: databases that serve what is live; they come after the commit, and may be asked again.
    """

    home: Path
    copies: Sequence[str] = ()
    sinks: Sequence[PgVectorSink | LanceSink] = ()
    transfer_blocks: bool = True
    breaking_blocks: bool = True
    alias: str = LIVE


def policy_of(config: PlatformConfig, home: Path, alias: str = LIVE) -> Policy:
    """What domains.yaml declares of going live.

    Args:
        config: the platform.
        home: folder of its state.
        alias: that is moved.
    """
    stages = config.stages
    return Policy(
        home=home,
        copies=stages.publish.copies,
        sinks=stages.publish.sinks,
        transfer_blocks=stages.gates.transfer == "block",
        breaking_blocks=stages.publish.space.breaking == "approve",
        alias=alias,
    )
