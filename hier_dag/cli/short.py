"""Long names as people read them."""

from __future__ import annotations

_DIRTY = "-dirty"


def commit(code_commit: str) -> str:
    """The beginning of a commit, and whether the checkout differed from it."""
    return code_commit[:8] + (_DIRTY if code_commit.endswith(_DIRTY) else "")
