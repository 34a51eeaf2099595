"""What ran: versions of everything installed that could change a result, and the code's commit."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from hier_dag.digest import digest_of


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
    root = Path(__file__).resolve().parent.parent
    git = ["git", "-C", str(root)]
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
