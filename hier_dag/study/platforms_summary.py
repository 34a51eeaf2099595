"""Summary of platforms side by side: HIER and the best baseline of every platform and setting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hier_dag.evaluate.figures import evidence_order
from hier_dag.evaluate.records import HIER
from hier_dag.evaluate.words import setting_words
from hier_dag.study.files import RECORDS
from hier_dag.study.picture import COLOURS, INK, MARKERS, canvas, dress, legend, png
from hier_dag.study.study import Finished, Summary

_NOTE = (
    "Mean of the platform's targets, all users. Best baseline: the one with the highest mean NDCG among "
    "those that every target has. Ratio: HIER's NDCG over that baseline's. Wins: targets on which HIER has "
    "the higher NDCG."
)
Means = dict[tuple[str, str], tuple[float, float]]
"""(shots, model) to the mean of NDCG and of HR over targets."""


def platforms_summary(finished: Sequence[Finished]) -> Summary:
    """Compares the reports of some platforms."""
    table = pa.concat_tables([pq.read_table(f.artifact.file(RECORDS)) for f in finished])
    rows = [r for r in table.to_pylist() if r["slice"] == "all" and r["metric"] in ("ndcg", "hr")]
    k = min((r["k"] for r in rows), default=0)
    rows = [r for r in rows if r["k"] == k]
    names = list(dict.fromkeys(r["platform"] for r in rows))
    short = [line for name in names for line in _lines([r for r in rows if r["platform"] == name], name)]
    head = ("platform", "setting", "targets", f"HIER NDCG@{k}", f"HIER HR@{k}", "best baseline",
            f"its NDCG@{k}", "ratio", "wins")  # fmt: skip
    return Summary(table, head, short, _picture(rows, names, k), _NOTE)


def _means(rows: list[dict[str, Any]]) -> Means:
    """Only models that every judged target of a setting has: means over other targets do not compare."""
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for r in rows:
        of = found.setdefault((r["shots"], r["model"], r["metric"]), {})
        of[r["domain"]] = r["value"]
    out: Means = {}
    for (shots, model, metric), values in found.items():
        if metric == "ndcg" and len(values) == len(found[shots, HIER, "ndcg"]):
            hr = found[shots, model, "hr"]
            out[shots, model] = (sum(values.values()) / len(values), sum(hr.values()) / len(hr))
    return out


def _best(means: Means, shots: str) -> str | None:
    rivals = {m: ndcg for (s, m), (ndcg, _) in means.items() if s == shots and m != HIER}
    return max(rivals, key=rivals.__getitem__) if rivals else None


def _lines(rows: list[dict[str, Any]], name: str) -> list[tuple[Any, ...]]:
    means, lines = _means(rows), []
    ndcg: dict[tuple[str, str, str], float] = {}
    for r in rows:
        if r["metric"] == "ndcg":
            ndcg[r["shots"], r["model"], r["domain"]] = r["value"]
    for shots in sorted({s for s, _ in means}, key=evidence_order):
        best, (own, hr) = _best(means, shots), means[shots, HIER]
        targets = [d for s, m, d in ndcg if (s, m) == (shots, HIER)]
        rival: list[str] = ["–"] * 4
        if best is not None:
            its = means[shots, best][0]
            wins = sum(ndcg[shots, HIER, d] > ndcg[shots, best, d] for d in targets)
            ratio = f"{own / its:.2f}" if its > 0 else "–"
            rival = [best.replace("_", " "), f"{its:.4f}", ratio, f"{wins} of {len(targets)}"]
        lines.append((name, setting_words(shots), len(targets), f"{own:.4f}", f"{hr:.4f}", *rival))
    return lines


def _picture(rows: list[dict[str, Any]], names: list[str], k: int) -> bytes:
    figure = canvas(0.8 + 3.2 * max(1, len(names)), 3.3)
    panels = figure.subplots(1, max(1, len(names)), squeeze=False)[0]
    models = [m for m in dict.fromkeys(r["model"] for r in rows) if m != HIER]
    for panel, name in zip(panels, names, strict=False):
        means = _means([r for r in rows if r["platform"] == name])
        shots = sorted({s for s, _ in means}, key=evidence_order)
        for at, model in enumerate([*models, HIER]):
            points = [(x, means[s, model][0]) for x, s in enumerate(shots) if (s, model) in means]
            hier = model == HIER
            panel.plot(
                [x for x, _ in points], [y for _, y in points], linestyle="",
                marker="*" if hier else MARKERS[at % len(MARKERS)], markersize=13 if hier else 5,
                color=INK if hier else COLOURS[at % len(COLOURS)], zorder=3 if hier else 2,
                label="HIER" if hier else model.replace("_", " "),
            )  # fmt: skip
        panel.set_xticks(range(len(shots)), [setting_words(s) for s in shots])
        panel.set_xlim(-0.5, len(shots) - 0.5)
        panel.set_ylim(bottom=0)
        dress(panel, name, y=f"NDCG@{k}, mean of targets" if panel is panels[0] else "")
    if names:
        legend(figure, panels[0], 5)
    return png(figure)
