"""Summary of an ablation study: what every module earns, in words, numbers and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from hier_dag.evaluate.words import setting_words
from hier_dag.study.ablation_cell import Ablation
from hier_dag.study.compare import MEAN, compare
from hier_dag.study.picture import COLOURS, FAINT, INK, canvas, dress, legend, png
from hier_dag.study.study import Finished, Summary

Row = dict[str, Any]
_LEVEL = 0.05
_NOTE = (
    "NDCG of the default minus that of the cell, mean of the targets, paired over users, with its 95 % "
    "bootstrap interval. p: paired t-test against the control, corrected by Holm's method. Targets: how many "
    "the module clearly helps (+) and hurts (−) against the control (p below 0.05, corrected). "
    "Without a control of its own, an ablation changes nothing but the module and is its own control."
)


def ablation_summary(ablations: Sequence[Ablation], finished: Sequence[Finished], resamples: int) -> Summary:
    """What the default gains over every ablation and every control that is there."""
    table = compare(finished, resamples)
    rows = [r for r in table.to_pylist() if r["metric"] == "ndcg"]
    shots = list(dict.fromkeys(r["shots"] for r in rows))
    there = {r["cell"] for r in rows}
    shown = [a for a in ablations if a.name in there and a.control in there]
    short = [_line(rows, a, s) for a in shown for s in shots]
    head = ("module", "setting", "left out", "against control", "p", "targets", "verdict")
    return Summary(table, head, short, _picture(rows, shown, shots), _NOTE)


def _at(rows: list[Row], cell: str, shots: str, domain: str = MEAN) -> Row:
    return next(r for r in rows if (r["cell"], r["shots"], r["domain"]) == (cell, shots, domain))


def _line(rows: list[Row], one: Ablation, shots: str) -> tuple[Any, ...]:
    control = _at(rows, one.control, shots)
    single = [r for r in rows if (r["cell"], r["shots"]) == (one.control, shots) and r["domain"] != MEAN]
    helps = sum(r["p_holm"] < _LEVEL and r["change"] < 0 for r in single)
    hurts = sum(r["p_holm"] < _LEVEL and r["change"] > 0 for r in single)
    return (
        one.what,
        setting_words(shots),
        _figure(-_at(rows, one.name, shots)["change"]),
        _earned(control),
        f"{control['p_holm']:.2g}",
        f"+{helps} −{hurts}",
        _verdict(control),
    )


def _earned(row: Row) -> str:
    if _no_part(row):
        return "0"
    low, high = _figure(-row["change_high"]), _figure(-row["change_low"])
    return f"{_figure(-row['change'])} [{low}, {high}]"


def _figure(value: float) -> str:
    """Four places without the zero before the point; nothing that moved nothing has a sign."""
    return f"{value:+.4f}".replace("0.", ".", 1) if value else "0"


def _no_part(row: Row) -> bool:
    """Whether not one user's figure moved: the module has no part in this setting."""
    return all(row[name] == 0 for name in ("change", "change_low", "change_high"))


def _verdict(control: Row) -> str:
    if _no_part(control):
        return "no part"
    if control["p_holm"] >= _LEVEL:
        return "unclear"
    return "earns" if control["change"] < 0 else "costs"


def _picture(rows: list[Row], shown: list[Ablation], shots: list[str]) -> bytes:
    figure = canvas(1.8 + 3.0 * max(1, len(shots)), 1.1 + 0.55 * max(1, len(shown)))
    panels = figure.subplots(1, max(1, len(shots)), squeeze=False, sharey=True)[0]
    for panel, s in zip(panels, shots, strict=False):
        _panel(panel, rows, shown, s)
    if shots and shown:
        panels[0].set_yticks(range(len(shown)), [a.what for a in shown])
        panels[0].invert_yaxis()
        legend(figure, panels[0], 3)
    return png(figure)


def _panel(panel: Axes, rows: list[Row], shown: list[Ablation], shots: str) -> None:
    for at, one in enumerate(shown):
        own = one.control == one.name
        _mark(panel, rows, one.name, shots, at if own else at - 0.14, ("left out", COLOURS[0], "o"))
        if not own:
            _mark(panel, rows, one.control, shots, at + 0.14, ("matched control", COLOURS[4], "s"))
    panel.axvline(0, color=INK, linewidth=0.8)
    dress(panel, setting_words(shots), x=f"NDCG@{rows[0]['k']} that the module earns")
    panel.grid(axis="y", visible=False)
    panel.grid(axis="x", color=FAINT, linewidth=0.8)


def _mark(panel: Axes, rows: list[Row], cell: str, shots: str, y: float, look: tuple[str, str, str]) -> None:
    """The mean with its interval, and a stroke for each single target."""
    words, colour, marker = look
    known = panel.get_legend_handles_labels()[1]
    single = [-r["change"] for r in rows if (r["cell"], r["shots"]) == (cell, shots) and r["domain"] != MEAN]
    panel.plot(
        single, [y] * len(single), linestyle="", marker="|", markersize=8, color=colour, alpha=0.55,
        label=None if f"{words}, single targets" in known else f"{words}, single targets",
    )  # fmt: skip
    mean = _at(rows, cell, shots)
    gain = -mean["change"]
    ends = [[max(0.0, gain + mean["change_high"])], [max(0.0, -mean["change_low"] - gain)]]
    panel.errorbar(
        [gain], [y], xerr=ends, color=colour, marker=marker, markersize=6, linewidth=1.6, zorder=3,
        label=None if words in known else words,
    )  # fmt: skip
