"""The one door to DGL: makes the last release importable beside the pinned torch.

dgl 2.1.0 loads a graphbolt library that was never built for this torch; only its distributed graphbolt
branch uses it, so an empty module in its place is enough. Without DGLBACKEND the first import writes a
configuration file into the home directory.
"""

from __future__ import annotations

import os
import sys
import types

os.environ.setdefault("DGLBACKEND", "pytorch")
sys.modules.setdefault("dgl.graphbolt", types.ModuleType("dgl.graphbolt"))

import dgl  # noqa: E402

__all__ = ["dgl"]
