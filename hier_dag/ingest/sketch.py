"""Bottom-k sketches of id sets: which share of one version's ids another has, without reading the other.

A sketch keeps the k smallest of an id set's 64-bit hashes (k minimum values, Bar-Yossef et al. 2002). Up to
the smaller of two sketches' largest hashes, each knows every hash of its set, so that the hashes there are a
uniform sample of both.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIZE = 4096
"""Hashes kept: a share is known to 1 / (2 √4096) = 0.8 % (one standard error), up to 4,096 ids exactly."""
_BYTES = np.dtype("<u8")


@dataclass(frozen=True)
class Sketch:
    """The smallest hashes of a set of ids.

    Attributes:
        ids: size of the set, exact.
        hashes: uint64 [min(ids, SIZE)], ascending; the hash is half of the id's MD5, which no version of the
            engine changes.
    """

    ids: int
    hashes: NDArray[np.uint64]

    @property
    def whole(self) -> bool:
        """Whether it holds every id of the set."""
        return self.ids <= len(self.hashes)

    def share_in(self, other: Sketch) -> float | None:
        """Share of this set's ids that the other set has too.

        Returns:
            A number in [0, 1]; exact where both sketches are whole, else with a standard error of
            √(p(1 - p) / n) for the n hashes that both reach; None where there is none.
        """
        seen = self.hashes
        if not other.whole:
            seen = seen[seen <= other.hashes[-1]]
        if len(seen) == 0:
            return None
        return float(np.isin(seen, other.hashes, assume_unique=True).mean())

    def as_json(self) -> dict[str, object]:
        """The sketch as a JSON-serialisable record: the hashes as Base64 of little-endian 64-bit numbers."""
        return {"ids": self.ids, "hashes": base64.b64encode(self.hashes.astype(_BYTES).tobytes()).decode()}

    @classmethod
    def from_json(cls, value: dict[str, object]) -> Sketch:
        """The inverse of `as_json`.

        Raises:
            ValueError: when it is not a sketch.
        """
        hashes = np.frombuffer(base64.b64decode(str(value["hashes"]), validate=True), dtype=_BYTES)
        return cls(int(str(value["ids"])), hashes.astype(np.uint64))
