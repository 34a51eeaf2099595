"""What ran: versions of everything installed that could change a result, and the code's commit."""

from __future__ import annotations

import getpass
import os
import platform
import re
import subprocess
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from hier_dag.digest import digest_file, digest_of

_ROOT = Path(__file__).resolve().parent.parent
_LOCK = _ROOT / "requirements.lock"
_NVIDIA = Path("/proc/driver/nvidia")


@cache
def environment() -> dict[str, Any]:
    """Python, machine and installed distributions, JSON-serialisable; equal environments are equal."""
    installed = sorted({f"{d.metadata['Name'].lower()}=={d.version}" for d in distributions()})
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "distributions": installed,
    }


@cache
def environment_digest() -> str:
    """SHA-256 of `environment()`."""
    return digest_of(environment())


@cache
def code_commit() -> str:
    """Commit of the running code, `-dirty` appended where files differ, `unknown` outside a checkout."""
    git = ["git", "-C", str(_ROOT)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10)
        if commit.returncode != 0:
            return "unknown"
        status = subprocess.run(
            [*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return commit.stdout.strip() + ("-dirty" if status.stdout.strip() else "")


@cache
def lock_digest() -> str | None:
    """SHA-256 of the locked versions that lie beside the code; None where the code is installed alone."""
    return digest_file(_LOCK) if _LOCK.is_file() else None


@cache
def machine() -> dict[str, Any]:
    """Where this process runs: host, system, cores, GPUs and their driver (as the kernel tells them)."""
    cards = (_model(f) for f in sorted(_NVIDIA.glob("gpus/*/information")))
    version = _NVIDIA / "version"
    driver = re.search(r"Module[^0-9]*([0-9.]+)", version.read_text()) if version.is_file() else None
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "devices": [card for card in cards if card],
        "driver": driver[1] if driver else None,
    }


def _model(information: Path) -> str | None:
    found = re.search(r"^Model:\s*(.+)$", information.read_text(), re.MULTILINE)
    return found[1].strip() if found else None


def user() -> str:
    """Name of the user whose process this is; the number where the system has no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
