"""A claim about an artifact and what became of it when it was put to the proof."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

PROVEN, FAILED, NOT_ASKED = "proven", "failed", "not asked"


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes:
        artifact: title of the artifact, such as `kg/graph`.
        digest: its digest.
        claim: what is claimed.
        outcome: proven, failed, or not asked where what it would be proven from is no longer there.
        told: the figures behind it, or what is wrong.
        domain: the domain that it is about; None for all.
    """

    artifact: str
    digest: str
    claim: str
    outcome: str
    told: str
    domain: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The claim as a JSON-serialisable record."""
        return asdict(self)
