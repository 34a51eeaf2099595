"""Summaries of studies that sweep something: one panel an axis, one line a target, the mean on top."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from hier_dag.evaluate.words import setting_words
from hier_dag.study.cell import DEFAULT
from hier_dag.study.compare import MEAN, compare
from hier_dag.study.picture import COLOURS, INK, MARKERS, canvas, dress, legend, png
from hier_dag.study.study import Finished, Summary

Row = dict[str, Any]


def sweep_summary(
    finished: Sequence[Finished],
    declared: dict[str, float],
    words: dict[str, str],
    resamples: int,
    note: str,
    *,
    seconds: bool,
) -> Summary:
    """Compares the cells of one-at-a-time sweeps with the default.

    Args:
        finished: cells, the default among them.
        declared: where the default lies on each axis.
        words: title of each axis.
        resamples: bootstrap resamples.
        note: how to read the table.
        seconds: also draw the seconds of pre-training.
    """
    table = compare(finished, resamples)
    rows = table.to_pylist()
    shots = list(dict.fromkeys(r["shots"] for r in rows if r["metric"] == "ndcg"))
    head, short = _short(rows, declared, words, shots)
    return Summary(table, head, short, _picture(rows, declared, words, shots, seconds), note)


def _points(rows: list[Row], declared: dict[str, float], axis: str, **where: str) -> list[Row]:
    """Rows of an axis in order, the default's row at its place on it."""
    found = [r for r in rows if all(r[k] == v for k, v in where.items())]
    mine = [r for r in found if r["axis"] == axis]
    mine += [{**r, "at": declared[axis]} for r in found if r["cell"] == DEFAULT]
    return sorted(mine, key=lambda r: float(r["at"]))


def _short(
    rows: list[Row], declared: dict[str, float], words: dict[str, str], shots: list[str]
) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """The mean over targets: a row an axis, setting and value."""
    pretrain = {r["cell"]: r["value"] for r in rows if r["metric"] == "pretrain_s"}
    hr = {(r["cell"], r["shots"]): r["value"] for r in rows if r["metric"] == "hr" and r["domain"] == MEAN}
    out: list[tuple[Any, ...]] = []
    for axis, title in words.items():
        if not any(r["axis"] == axis for r in rows):
            continue
        for s in shots:
            for r in _points(rows, declared, axis, metric="ndcg", shots=s, domain=MEAN):
                value = f"{r['at']:g}" + (" (declared)" if r["cell"] == DEFAULT else "")
                quality = (f"{r['value']:.4f}", change_words(r), f"{hr[r['cell'], s]:.4f}")
                out.append((title, setting_words(s), value, *quality, f"{pretrain[r['cell']]:.1f}"))
    k = next((r["k"] for r in rows if r["metric"] == "ndcg"), 0)
    head = ("swept", "setting", "value", f"NDCG@{k}", "change [95 %]", f"HR@{k}", "pre-training s")
    return head, out


def change_words(row: Row) -> str:
    """A change with its interval, marked where the interval leaves 0 out; a dash where there is none."""
    if row["cell"] == DEFAULT or math.isnan(row["change"]):
        return "–"
    clear = " *" if row["change_low"] > 0 or row["change_high"] < 0 else ""
    return f"{row['change']:+.4f} [{row['change_low']:+.4f}, {row['change_high']:+.4f}]{clear}"


def _picture(
    rows: list[Row], declared: dict[str, float], words: dict[str, str], shots: list[str], seconds: bool
) -> bytes:
    axes_names = [a for a in words if any(r["axis"] == a for r in rows)]
    height = len(shots) + seconds
    figure = canvas(0.6 + 2.5 * max(1, len(axes_names)), 0.5 + 2.1 * height)
    grid = figure.subplots(height, max(1, len(axes_names)), squeeze=False, sharey="row")
    domains = list(dict.fromkeys(r["domain"] for r in rows if r["metric"] == "ndcg" and r["domain"] != MEAN))
    k = next((r["k"] for r in rows if r["metric"] == "ndcg"), 0)
    for column, axis in enumerate(axes_names):
        for line, s in enumerate(shots):
            panel = grid[line][column]
            _quality_panel(panel, rows, declared, axis, s, domains)
            title = f"{words[axis]}, {setting_words(s)}"
            dress(panel, title, y=f"NDCG@{k}, % against declared" if column == 0 else "")
        if seconds:
            points = _points(rows, declared, axis, metric="pretrain_s")
            grid[-1][column].plot(
                [p["at"] for p in points], [p["value"] for p in points], color=INK, marker="o", markersize=4
            )
            grid[-1][column].set_ylim(bottom=0)
            dress(grid[-1][column], words[axis], y="seconds of pre-training" if column == 0 else "")
        for line in range(height):
            _ticks(grid[line][column], [p["at"] for p in _points(rows, declared, axis, metric="pretrain_s")])
    if axes_names and shots:
        legend(figure, grid[0][0], 5)
    return png(figure)


def _quality_panel(
    panel: Axes, rows: list[Row], declared: dict[str, float], axis: str, shots: str, domains: list[str]
) -> None:
    panel.axhline(0, color="#B0B0B0", linewidth=0.8)
    panel.axvline(declared[axis], color="#B0B0B0", linewidth=0.8, linestyle=":")
    for at, domain in enumerate([*domains, MEAN]):
        points = _points(rows, declared, axis, metric="ndcg", shots=shots, domain=domain)
        base = next((p["value"] for p in points if p["cell"] == DEFAULT), 0.0)
        if not base:
            continue
        whole = domain == MEAN
        x = [p["at"] for p in points]
        y = [100 * p["change"] / base for p in points]
        colour = INK if whole else COLOURS[at % len(COLOURS)]
        marker = "o" if whole else MARKERS[at % len(MARKERS)]
        panel.plot(
            x, y, color=colour, marker=marker, markersize=4 if whole else 3, linewidth=2 if whole else 0.9,
            alpha=1 if whole else 0.8, zorder=3 if whole else 2,
            label="mean of targets, 95 %" if whole else domain,
        )  # fmt: skip
        if whole:
            low = [100 * p["change_low"] / base for p in points]
            high = [100 * p["change_high"] / base for p in points]
            panel.fill_between(x, low, high, color=INK, alpha=0.12, linewidth=0)


def _ticks(panel: Axes, at: list[float]) -> None:
    if len(at) > 1 and min(at) > 0 and max(at) / min(at) > 4:
        panel.set_xscale("log", base=2)
    panel.set_xticks(at, [f"{x:g}" for x in at])
    panel.minorticks_off()
