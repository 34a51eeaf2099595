"""How many threads add up floats: their number is part of what a result depends on, so it is set and told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

# Loads SciPy's own copy of BLAS: what is loaded later would keep its number of threads.
import scipy.linalg  # type: ignore[import-untyped]  # noqa: F401
import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]


@contextmanager
def threaded(threads: int) -> Iterator[int]:
    """Has torch and the BLAS of NumPy and SciPy use so many threads; what was set comes back afterwards.

    torch's setting alone leaves the two BLAS libraries at OMP_NUM_THREADS, so that decompositions would
    differ between machines and processes in ways that no parameter tells.

    Args:
        threads: at least 1; 0 leaves torch's number, and has the others follow it.

    Yields:
        The number in force.
    """
    before = torch.get_num_threads()
    now = threads or before
    with threadpool_limits(limits=now, user_api="blas"):
        torch.set_num_threads(now)
        try:
            yield now
        finally:
            torch.set_num_threads(before)
