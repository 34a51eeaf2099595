"""What a machine decides where parameters leave it open; told with the result, since numbers depend on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Overrides that no file of the result mentions: to do a work as it was once done, or otherwise.

    Attributes:
        device: `cpu` or `cuda`, in place of `params.device`; None follows that.
        threads: CPU threads, in place of `params.threads`; None follows that.
        graph: `full` or `sampled`, in place of `params.graph`; None follows that.
    """

    device: str | None = None
    threads: int | None = None
    graph: str | None = None


HERE = Surroundings()
"""As the parameters say, on this machine."""
