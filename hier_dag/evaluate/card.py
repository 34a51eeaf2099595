"""The report card of one target in Markdown, as the Dagster UI shows it."""

from __future__ import annotations

import pyarrow as pa

from hier_dag.evaluate.comparison import against_strongest
from hier_dag.evaluate.figures import Figure, Figures, figures
from hier_dag.evaluate.scored import HIER
from hier_dag.evaluate.slices import COLD_ITEMS
from hier_dag.evaluate.verdict import standing_note, standing_words, verdict, worth_words
from hier_dag.evaluate.words import SLICE_WORDS, figure_words, made_words, model_words, setting_words

__all__ = ["card_markdown", "setting_words", "verdict"]

_COLUMNS = 6
"""Models beside HIER in the first table; with more, the strongest of each setting and the best on average."""


def card_markdown(records: pa.Table, domain: str) -> str:
    """A report card in Markdown: verdict, what transfer adds, table for all users, table of slices.

    Args:
        records: `RECORD_SCHEMA`, of any number of domains.
        domain: the target.

    Raises:
        UsageError: the table holds no record of the domain.
    """
    shown = figures(records, domain)
    worth = worth_words(shown)
    left_out = len(shown.baselines) - len(leading(shown, _COLUMNS))
    lines = [
        f"### {domain}: HIER against the baselines",
        "",
        verdict(shown),
        *(["", worth] if worth else []),
        "",
        *_main_table(shown),
        *(["", f"{left_out} weaker baselines are left out of this table."] if left_out else []),
        "",
        *_standing_table(shown),
        "",
        *_slice_table(shown),
        "",
        f"NDCG@{shown.k} and HR@{shown.k} by full ranking of the catalogue; {shown.users:,} users, "
        f"{shown.seeds} seed{'s' if shown.seeds != 1 else ''}; brackets: 95 % bootstrap interval over users; "
        f"bold: highest of its row. {standing_note()}.",
    ]
    return "\n".join(lines) + "\n"


def leading(shown: Figures, most: int) -> tuple[str, ...]:
    """At most so many baselines: the strongest of each setting, popularity, then the best by mean NDCG."""
    strongest = [b for s in shown.shots if (b := shown.strongest_baseline(s))]
    mean = {
        b: sum(f.value for f in having) / len(having)
        for b in shown.baselines
        if (having := [f for s in shown.shots if (f := shown.get("ndcg", s, b))])
    }
    first = sorted(set(strongest), key=lambda b: (-strongest.count(b), -mean[b]))
    rest = [*("popularity" for b in mean if b == "popularity"), *sorted(mean, key=lambda b: -mean[b])]
    chosen = list(dict.fromkeys([*first, *rest]))[:most]
    return tuple(b for b in shown.baselines if b in chosen)


def _main_table(shown: Figures) -> list[str]:
    models = [HIER, *leading(shown, _COLUMNS)]
    lines = [
        _row(["setting", "metric", *(model_words(m) for m in models)]),
        _row(["---"] * (len(models) + 2)),
    ]
    for shots in shown.shots:
        for metric in ("ndcg", "hr"):
            found = [shown.get(metric, shots, model) for model in models]
            name = made_words(shown, shots) if metric == "ndcg" else ""
            lines.append(_row([name, f"{metric.upper()}@{shown.k}", *_cells(found)]))
    return lines


def _standing_table(shown: Figures) -> list[str]:
    lines = [_row(["setting", "strongest baseline", "paired gain", "among all baselines"]), _row(["---"] * 4)]
    for shots in shown.shots:
        if found := against_strongest(shown, shots):
            rival = f"{model_words(found.rival)} {figure_words(found.base)}"
            cells = [setting_words(shots), rival, figure_words(found.gain, "+"), standing_words(shown, shots)]
            lines.append(_row(cells))
    return lines


def _slice_table(shown: Figures) -> list[str]:
    lines = [_row(["slice", "setting", "HIER NDCG", "strongest baseline", "paired gain"]), _row(["---"] * 5)]
    for users in ("with_history", "cold", COLD_ITEMS):
        for shots in shown.shots:
            if found := against_strongest(shown, shots, users):
                unit = " users" if users == COLD_ITEMS else ""
                cells = [
                    f"{SLICE_WORDS[users]} ({found.hier.users:,}{unit})",
                    setting_words(shots),
                    figure_words(found.hier),
                    f"{model_words(found.rival)} {figure_words(found.base)}",
                    figure_words(found.gain, "+"),
                ]
                lines.append(_row(cells))
    return lines


def _cells(found: list[Figure | None]) -> list[str]:
    best = max((f.value for f in found if f), default=0.0)
    return [
        ("**" + figure_words(f) + "**" if f.value == best else figure_words(f)) if f else "–" for f in found
    ]


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
