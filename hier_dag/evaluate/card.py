"""The report card of one target: HIER against the baselines, with intervals and a verdict."""

from __future__ import annotations

import pyarrow as pa

from hier_dag.evaluate.figures import Figure, Figures, figures
from hier_dag.evaluate.records import GAIN, HIER

_SLICE_WORDS = {
    "all": "all users",
    "with_history": "users with source history",
    "cold": "users without source history",
}


def card_markdown(records: pa.Table, domain: str) -> str:
    """A report card in Markdown: verdict, table for all users, table of slices.

    Every word of the verdict is computed from the figures: HIER wins or loses a setting where the 95 %
    interval of its paired NDCG gain over the strongest baseline lies on one side of zero.

    Args:
        records: `RECORD_SCHEMA`, of any number of domains.
        domain: the target.

    Raises:
        UsageError: the table holds no record of the domain.
    """
    shown = figures(records, domain)
    users = max(figure.users for figure in shown.table.values())
    seeds = max(
        row["seeds"] for row in records.select(["domain", "seeds"]).to_pylist() if row["domain"] == domain
    )
    lines = [
        f"### {domain}: HIER against the baselines",
        "",
        verdict(shown),
        "",
        *_main_table(shown),
        "",
        *_slice_table(shown),
        "",
        f"NDCG@{shown.k} and HR@{shown.k} by full ranking of the catalogue; {users:,} users, "
        f"{seeds} seed{'s' if seeds != 1 else ''}; "
        "brackets: 95 % bootstrap interval over users; bold: highest of its row.",
    ]
    return "\n".join(lines) + "\n"


def verdict(shown: Figures) -> str:
    """One sentence: where HIER beats, ties with and loses to the strongest baseline of each setting."""
    outcome: dict[str, list[str]] = {"beats": [], "level": [], "loses": []}
    for shots in shown.shots:
        rival = shown.strongest_baseline(shots)
        gain = shown.get(GAIN + rival, shots, HIER) if rival else None
        base = shown.get("ndcg", shots, rival) if rival else None
        if rival is None or gain is None or base is None:
            continue
        percent = f"{100 * gain.value / base.value:+.0f} % on " if base.value > 0 else ""
        side = "beats" if gain.low > 0 else "loses" if gain.high < 0 else "level"
        outcome[side].append(f"{setting_words(shots)} ({percent}{_words(rival)})")
    parts = [
        f"{start} {_listed(outcome[side])}"
        for side, start in (
            ("beats", "beats the strongest baseline in NDCG with"),
            ("level", "shows no clear difference with"),
            (
                "loses",
                "loses to it with" if outcome["beats"] else "loses to the strongest baseline in NDCG with",
            ),
        )
        if outcome[side]
    ]
    return f"HIER {_listed(parts, '; it ')}." if parts else "There is no baseline to compare HIER with."


def setting_words(shots: str) -> str:
    """A setting in words: "0" is "zero-shot", "1" is "1 per user", "1%" is "1 %", "all" is "all"."""
    if shots == "0":
        return "zero-shot"
    if shots.endswith("%"):
        return f"{shots[:-1]} %"
    return "all" if shots == "all" else f"{shots} per user"


def _main_table(shown: Figures) -> list[str]:
    models = [HIER, *shown.baselines]
    lines = [_row(["setting", "metric", *(_words(m) for m in models)]), _row(["---"] * (len(models) + 2))]
    for shots in shown.shots:
        for metric in ("ndcg", "hr"):
            found = [shown.get(metric, shots, model) for model in models]
            name = _setting(shown, shots) if metric == "ndcg" else ""
            lines.append(_row([name, f"{metric.upper()}@{shown.k}", *_cells(found)]))
    return lines


def _slice_table(shown: Figures) -> list[str]:
    lines = [_row(["users", "setting", "HIER NDCG", "strongest baseline", "paired gain"]), _row(["---"] * 5)]
    for users in ("with_history", "cold"):
        for shots in shown.shots:
            hier, rival = shown.get("ndcg", shots, HIER, users), shown.strongest_baseline(shots, users)
            base = shown.get("ndcg", shots, rival, users) if rival else None
            gain = shown.get(GAIN + rival, shots, HIER, users) if rival else None
            if hier and base and gain and rival:
                who = f"{_SLICE_WORDS[users]} ({hier.users:,})"
                cells = [
                    who,
                    setting_words(shots),
                    _cell(hier),
                    f"{_words(rival)} {_cell(base)}",
                    _cell(gain, "+"),
                ]
                lines.append(_row(cells))
    return lines


def _setting(shown: Figures, shots: str) -> str:
    hier = shown.get("ndcg", shots, HIER)
    made = f", {_words(hier.variant)}" if hier and shots != "0" and hier.variant else ""
    return setting_words(shots) + made


def _cells(found: list[Figure | None]) -> list[str]:
    best = max((f.value for f in found if f), default=0.0)
    return [("**" + _cell(f) + "**" if f.value == best else _cell(f)) if f else "–" for f in found]


def _cell(figure: Figure, sign: str = "") -> str:
    return f"{figure.value:{sign}.3f} [{figure.low:{sign}.3f}, {figure.high:{sign}.3f}]"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _words(name: str) -> str:
    return "HIER" if name == HIER else name.replace("_", " ")


def _listed(parts: list[str], separator: str = ", ") -> str:
    return separator.join(parts)
