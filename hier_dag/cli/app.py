"""The `hier` command: loads the commands and calls one, so that an interrupt ends either in the same way."""

from __future__ import annotations

import os
import sys
from gc import freeze

STOPPED = 130  # as shells say of a command ended by an interrupt


def main() -> None:
    """Runs `hier`. Exit codes: 0 done, 1 a contract or gate refused, 2 usage, 130 stopped."""
    # Several runs share a machine: DGL must not write a configuration file into the user's home.
    os.environ.setdefault("DGLBACKEND", "pytorch")
    try:
        from hier_dag.cli.commands import call

        # What was imported stays to the end: collections of garbage need not walk through it again and again.
        freeze()
        code = call()
    except KeyboardInterrupt:
        code = STOPPED
    sys.exit(code)


if __name__ == "__main__":
    main()
