"""A step that was told to stop: Dagster would retry it as any that failed, and must not."""

from typing import Any

import dagster as dg

CANCELLED = "cancelled"  # in the failure's metadata


def cancelled(message: str) -> dg.Failure:
    """What to raise in place of Dagster's interrupt, which a retry policy takes for a fault.

    Args:
        message: what was left undone, and what to do.
    """
    return dg.Failure(f"cancelled: {message}", metadata={CANCELLED: True}, allow_retries=False)


def was_cancelled(failure: Any) -> bool:
    """Whether a step's failure data, as its event has them, are those of `cancelled`."""
    return failure is not None and CANCELLED in failure.metadata
