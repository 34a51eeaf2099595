"""The verdict on one target in a sentence, and what transfer adds in another; every word is computed."""

from __future__ import annotations

from hier_dag.evaluate.comparison import (
    LEVEL,
    Comparison,
    against_strongest,
    against_target_alone,
    compare,
    standing,
)
from hier_dag.evaluate.figures import Figures
from hier_dag.evaluate.scored import OVER_ZERO_SHOT, ZERO_SHOT
from hier_dag.evaluate.words import listed, model_words, setting_words


def verdict(shown: Figures) -> str:
    """One sentence: where HIER beats, ties with and loses to the strongest baseline of each setting.

    HIER beats or loses a setting where the whole 95 % interval of its paired NDCG gain over the strongest
    baseline lies on one side of zero.
    """
    outcome: dict[str, list[str]] = {"beats": [], "level": [], "loses": []}
    for shots in shown.shots:
        if found := against_strongest(shown, shots):
            percent = "" if found.percent is None else f"{found.percent:+.0f} % on "
            outcome[found.side].append(f"{setting_words(shots)} ({percent}{model_words(found.rival)})")
    again = "it" if outcome["beats"] else "the strongest baseline in NDCG"
    starts = {
        "beats": "beats the strongest baseline in NDCG with",
        "level": "shows no clear difference with",
        "loses": f"loses to {again} with",
    }
    parts = [f"{start} {listed(outcome[side])}" for side, start in starts.items() if outcome[side]]
    return f"HIER {listed(parts, '; it ')}." if parts else "There is no baseline to compare HIER with."


def worth_words(shown: Figures) -> str | None:
    """What transfer adds or costs, in a sentence; None without a few-shot setting to judge by.

    HIER's few-shot vectors against the strongest model that reads the target's few-shot interactions alone,
    in the setting of most evidence, and against HIER's own zero-shot vectors.
    """
    shots = next(
        (s for s in reversed(shown.shots) if s != ZERO_SHOT and against_target_alone(shown, s)), None
    )
    alone = against_target_alone(shown, shots) if shots else None
    if shots is None or alone is None:
        return None
    verb = {"beats": "adds", "level": "neither adds nor costs anything clear:", "loses": "costs"}[alone.side]
    words = f"With {setting_words(shots)}, transfer {verb} {_amount(alone)} over {model_words(alone.rival)}"
    words += ", the strongest model on the target's own few-shot data"
    zero = compare(shown, shots, OVER_ZERO_SHOT)
    if zero is not None:
        words += f"; the few-shot data themselves bring {_amount(zero, signed=True)} over zero-shot"
    return words + "."


def standing_words(shown: Figures, shots: str) -> str:
    """Where HIER stands among all baselines of a setting: "above 12 of 14; level with EASE; below twin"."""
    stands = standing(shown, shots)
    if stands is None:
        return "–"
    total = len(stands.above) + len(stands.level) + len(stands.below)
    parts = [f"above {len(stands.above)} of {total}"]
    for names, start in ((stands.level, "level with"), (stands.below, "below")):
        if names:
            parts.append(f"{start} {listed([model_words(n) for n in names])}")
    return listed(parts, "; ")


def standing_note() -> str:
    """What `standing_words` mean."""
    return (
        "Above and below: paired sign-flip permutation tests over users, two-sided, "
        f"Holm-corrected over the baselines of a setting at {100 * LEVEL:.0f} %"
    )


def _amount(found: Comparison, signed: bool = False) -> str:
    gain, low, high = found.gain.value, found.gain.low, found.gain.high
    if found.side == "loses" and not signed:
        gain, low, high = -gain, -high, -low
    sign = "+" if signed or found.side == "level" else ""
    return f"{gain:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}] NDCG"
