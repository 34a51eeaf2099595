"""Which artifacts still lie in a store: names of folders alone, nothing is opened."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress

from hier_dag.store import ArtifactStore


def at_hand(stores: Mapping[str, ArtifactStore], kinds: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Names of the platforms whose store has an artifact, by digest; one that no store has is missing.

    Args:
        stores: by platform.
        kinds: kinds to look among.
    """
    found: dict[str, tuple[str, ...]] = {}
    for kind in sorted(set(kinds)):
        for platform, store in stores.items():
            with suppress(FileNotFoundError):
                for name in os.listdir(store.root / "artifacts" / kind):
                    found[name] = (*found.get(name, ()), platform)
    return found
