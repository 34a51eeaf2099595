"""HIER against others, read off the records: strongest rivals, what holds after Holm, what transfer adds."""

from __future__ import annotations

from dataclasses import dataclass

from hier_dag.evaluate.figures import Figure, Figures
from hier_dag.evaluate.paired import holm
from hier_dag.evaluate.scored import GAIN, HIER, OVER_ZERO_SHOT, P_VALUE, ZERO_SHOT

LEVEL = 0.05
"""Share of false findings that is accepted, after correction for the number of baselines."""

TARGET_ALONE = frozenset({"popularity", "lightgcn_few_shot"})
"""Baselines that read the target's few-shot interactions and nothing of the sources or of entities."""


@dataclass(frozen=True)
class Comparison:
    """HIER against one rival in one setting and slice.

    Attributes:
        rival: its name.
        hier: HIER's NDCG.
        base: the rival's NDCG.
        gain: HIER's paired gain, with interval.
        p: two-sided sign-flip p-value, uncorrected; None in records of older versions.
    """

    rival: str
    hier: Figure
    base: Figure
    gain: Figure
    p: float | None

    @property
    def side(self) -> str:
        """`beats`, `level` or `loses`: on which side of zero the whole interval of the gain lies."""
        return "beats" if self.gain.low > 0 else "loses" if self.gain.high < 0 else "level"

    @property
    def percent(self) -> float | None:
        """Gain relative to the rival, in percent; None where the rival scores nothing."""
        return 100 * self.gain.value / self.base.value if self.base.value > 0 else None


@dataclass(frozen=True)
class Standing:
    """Baselines that HIER is above, level with and below in a setting, after Holm's correction at `LEVEL`."""

    above: tuple[str, ...]
    level: tuple[str, ...]
    below: tuple[str, ...]


def compare(shown: Figures, shots: str, rival: str | None, users: str = "all") -> Comparison | None:
    """HIER against a rival, or None where a figure of the comparison is missing."""
    if rival is None:
        return None
    hier = shown.get("ndcg", shots, HIER, users)
    if rival == OVER_ZERO_SHOT:
        base = shown.get("ndcg", ZERO_SHOT, HIER, users)
    else:
        base = shown.get("ndcg", shots, rival, users)
    gain = shown.get(GAIN + rival, shots, HIER, users)
    if hier is None or base is None or gain is None:
        return None
    p = shown.get(P_VALUE + GAIN + rival, shots, HIER, users)
    return Comparison(rival, hier, base, gain, None if p is None else p.value)


def against_strongest(shown: Figures, shots: str, users: str = "all") -> Comparison | None:
    """HIER against the baseline of highest NDCG in a setting and slice."""
    return compare(shown, shots, shown.strongest_baseline(shots, users), users)


def against_target_alone(shown: Figures, shots: str) -> Comparison | None:
    """HIER against the strongest model that reads the target's few-shot interactions and nothing else."""
    return compare(shown, shots, shown.strongest_baseline(shots, among=TARGET_ALONE))


def standing(shown: Figures, shots: str, users: str = "all") -> Standing | None:
    """Where HIER stands among all baselines of a setting; None without p-values or baselines."""
    found = {b: c for b in shown.baselines if (c := compare(shown, shots, b, users)) and c.p is not None}
    if not found:
        return None
    adjusted = holm({b: c.p for b, c in found.items() if c.p is not None})
    clear = {b for b, p in adjusted.items() if p <= LEVEL}
    return Standing(
        above=tuple(b for b in found if b in clear and found[b].gain.value > 0),
        level=tuple(b for b in found if b not in clear),
        below=tuple(b for b in found if b in clear and found[b].gain.value < 0),
    )
