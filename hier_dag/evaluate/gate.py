"""The gate against negative transfer: is HIER clearly worse than a model that could be had without it?"""

from __future__ import annotations

import pyarrow as pa

from hier_dag.errors import UsageError
from hier_dag.evaluate.comparison import compare
from hier_dag.evaluate.figures import Figures, figures
from hier_dag.evaluate.words import model_words, setting_words

Facts = dict[str, str | float | int | bool | None]

NEGATIVE, NOT_NEGATIVE, NOT_JUDGED = "negative", "not negative", "not judged"


def negative_transfer(records: pa.Table, domain: str, baselines: tuple[str, ...] | None, shots: str) -> Facts:
    """Judges one setting: negative where the 95 % interval of HIER's paired NDCG gain lies wholly below 0.

    The gain is over the best of the declared baselines that exist in the setting (best in NDCG@K of all
    users, K the smallest cutoff). A domain or setting without figures, or where no declared baseline exists
    (popularity in zero-shot), is not judged, and passes.

    Args:
        records: `RECORD_SCHEMA`, of any number of domains.
        domain: the target.
        baselines: names to compare with; None for every baseline in the records.
        shots: the setting, usually the published one.

    Returns:
        JSON-able facts: domain, shots, verdict (`negative`, `not negative`, `not judged`), passed, baseline,
        k, gain, low, high, hier, base, p, users, sentence; figures are None where nothing was judged.

    Raises:
        UsageError: a declared baseline is in no setting of the domain.
    """
    facts: Facts = {"domain": domain, "shots": shots, "verdict": NOT_JUDGED, "passed": True}
    facts |= dict.fromkeys(("baseline", "k", "gain", "low", "high", "hier", "base", "p", "users"))
    if domain not in records["domain"].unique().to_pylist():
        return facts | {"sentence": f"{domain} has no test interaction, so negative transfer is not judged."}
    shown = figures(records, domain)
    _known(shown, baselines)
    rival = shown.strongest_baseline(shots, among=baselines)
    found = compare(shown, shots, rival)
    if found is None:
        words = f"No declared baseline exists {_with(shots)}, so negative transfer is not judged."
        return facts | {"sentence": words}
    negative = found.side == "loses"
    interval = f"[{found.gain.low:+.4f}, {found.gain.high:+.4f}]"
    how = {"beats": "is above", "level": "shows no clear difference from", "loses": "is below"}[found.side]
    return facts | {
        "verdict": NEGATIVE if negative else NOT_NEGATIVE,
        "passed": not negative,
        "baseline": found.rival,
        "k": shown.k,
        "gain": found.gain.value,
        "low": found.gain.low,
        "high": found.gain.high,
        "hier": found.hier.value,
        "base": found.base.value,
        "p": found.p,
        "users": found.gain.users,
        "sentence": f"HIER {how} {model_words(found.rival)} {_with(shots)}: "
        f"NDCG@{shown.k} {found.gain.value:+.4f} {interval}.",
    }


def _known(shown: Figures, baselines: tuple[str, ...] | None) -> None:
    unknown = [b for b in baselines or () if b not in shown.baselines]
    if unknown:
        raise UsageError(
            f"no record of the baseline {', '.join(unknown)}",
            domain=shown.domain,
            fix=f"declare baselines that were scored: {', '.join(shown.baselines)}",
        )


def _with(shots: str) -> str:
    return "in zero-shot" if shots == "0" else f"with {setting_words(shots)}"
