"""One place for what makes a training repeatable: device, seed, threads, deterministic kernels."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from hier_dag.train.cores import cores
from hier_dag.train.threads import threaded


def pick_device(name: str) -> torch.device:
    """The device that `auto`, `cpu` or `cuda` stands for here."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


@contextmanager
def seeded(seed: int, threads: int, device: torch.device) -> Iterator[None]:
    """Seeds torch and sets threads; the caller's random state and settings come back afterwards."""
    mode = torch.get_deterministic_debug_mode()
    fill = torch.utils.deterministic.fill_uninitialized_memory
    forked = torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])
    with forked, threaded(threads or cores()):
        torch.manual_seed(seed)
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # its products repeat themselves
        # Scatter-adds race otherwise, between threads or on CUDA. What has no other variant fails on CPU,
        # and warns on CUDA, where the sparse product stands in if Triton is not installed.
        # Set by the debug mode: `use_deterministic_algorithms` imports torch's compiler first, 3.5 s.
        torch.set_deterministic_debug_mode("error" if device.type == "cpu" else "warn")
        # Nothing here reads memory before writing it, and filling it first takes a tenth of a step.
        torch.utils.deterministic.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.set_deterministic_debug_mode(mode)
            torch.utils.deterministic.fill_uninitialized_memory = fill
