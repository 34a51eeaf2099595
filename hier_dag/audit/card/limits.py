"""What the vectors cannot do, as far as it shows in the artifacts: no limit is written by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hier_dag.audit.card.parts import Part
from hier_dag.audit.evidence.data import domains
from hier_dag.audit.evidence.subject import Subject
from hier_dag.evaluate.cells import signed
from hier_dag.evaluate.comparison import Comparison, against_strongest, against_target_alone, compare
from hier_dag.evaluate.figures import Figures
from hier_dag.evaluate.scored import OVER_ZERO_SHOT, ZERO_SHOT
from hier_dag.evaluate.words import SLICE_WORDS, model_words, setting_words

_FEW_USERS = 1_000
_MUCH_KEPT_ASIDE = 0.01


def limits(about: Subject, shown: Figures | None, earned: Sequence[Any] | None) -> Part:
    """Every limit that the artifacts of a version bear out."""
    found = [*_figures(shown), *_coverage(about.set_facts), *_index(about.set_facts), *_data(about)]
    if not earned:
        found.append("What each module earns is not known here: the ablation study was not run.")
    return Part("Limits", points=tuple(found))


def _figures(shown: Figures | None) -> Iterator[str]:
    if shown is None:
        yield "No figure: the domain has no test interaction. How well these vectors rank is not known."
        return
    for users in SLICE_WORDS:
        for shots in shown.shots:
            found = against_strongest(shown, shots, users)
            if found is not None and found.side == "loses":
                yield f"{_start(users, shots)} HIER is below {model_words(found.rival)}: {_gain(found)}."
    level = [s for s in shown.shots if (f := against_strongest(shown, s)) and f.side == "level"]
    if level:
        settings = ", ".join(map(setting_words, level))
        yield f"No clear difference from the strongest baseline in the setting: {settings}."
    for shots in (s for s in shown.shots if s != ZERO_SHOT):
        alone, zero = against_target_alone(shown, shots), compare(shown, shots, OVER_ZERO_SHOT)
        if alone is not None and alone.side == "loses":
            yield (
                f"{_start('all', shots)} transfer loses: {_gain(alone)} against {model_words(alone.rival)}, "
                "which reads the domain's own interactions alone."
            )
        if zero is not None and zero.side == "loses":
            yield f"{_start('all', shots)} the domain's own interactions cost: {_gain(zero)} over zero-shot."
    widest = max((_half(f) for s in shown.shots if (f := against_strongest(shown, s))), default=None)
    few = " That is few." if shown.users < _FEW_USERS else ""
    told = "" if widest is None else f" Gains below about {widest:.3f} NDCG cannot be told from none."
    yield f"Figures rest on {shown.users:,} users with a test interaction.{few}{told}"
    if shown.seeds == 1:
        yield "One seed was run: how far another training would differ is not known."


def _coverage(told: dict[str, Any]) -> Iterator[str]:
    means = {
        ("user_origins", "fallback"): "users have no source history; they get the platform's mean vector",
        ("item_origins", "kg_inferred"): "items were trained by no source; their entities alone place them",
        ("item_origins", "fallback"): "items have neither a source interaction nor an entity",
    }
    for (side, origin), words in means.items():
        counts = told.get(side) or {}
        n, total = counts.get(origin, 0), sum(counts.values())
        if n:
            yield f"{n:,} of {total:,} {words} ({100 * n / total:.0f} %)."


def _index(told: dict[str, Any]) -> Iterator[str]:
    index = told.get("index") or {}
    for k in (10, 50):
        recall = index.get(f"recall@{k}")
        if recall is not None and recall < 1:
            yield f"The index finds {100 * recall:.1f} % of the {k} best items that exact search finds."


def _data(about: Subject) -> Iterator[str]:
    told = domains(about.made)
    last = max((d["last"] for d in told if d["last"]), default=None)
    if last:
        yield f"The newest event behind it is of {last[:10]}: what people have turned to since is not known."
    for d in (d for d in told if d["role"] == "source" or d["domain"] == about.domain):
        kept = (d["quarantined"] or 0) / d["rows_in"] if d["rows_in"] else 0
        if kept >= _MUCH_KEPT_ASIDE:
            yield f"{100 * kept:.1f} % of the rows of {d['domain']} were kept aside as invalid."
        if not d["events"]:
            yield f"{d['domain']} has no event behind it: all that is known of its items are their entities."
    for one, check in about.checks:
        if not check.passed:
            yield f"A check of {one.title} failed and did not block: {check.name}."


def _start(users: str, shots: str) -> str:
    where = f"{SLICE_WORDS[users]}, {setting_words(shots)}:"
    return where[0].upper() + where[1:]


def _gain(found: Comparison) -> str:
    g = found.gain
    return signed(f"{g.value:+.4f} [{g.low:+.4f}, {g.high:+.4f}] NDCG")


def _half(found: Comparison) -> float:
    return (found.gain.high - found.gain.low) / 2
