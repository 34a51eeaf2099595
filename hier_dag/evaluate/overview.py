"""Pictures over all targets and over all baselines."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from hier_dag.evaluate.comparison import Comparison, compare
from hier_dag.evaluate.figures import Figures
from hier_dag.evaluate.palette import BASELINES, GRID, HIER_COLOUR, MUTED
from hier_dag.evaluate.plots import dress, points_by_kind
from hier_dag.evaluate.scored import HIER
from hier_dag.evaluate.words import model_words, setting_words

_COLUMNS = 3


def small_multiples(targets: Sequence[Figures]) -> Canvas:
    """NDCG of HIER with its 95 % interval next to each setting's strongest baseline, a panel a target.

    Args:
        targets: at least one; every panel has its own scale, from zero.
    """
    columns = min(_COLUMNS, len(targets))
    rows = math.ceil(len(targets) / columns)
    canvas = Canvas(figsize=(3.4 * columns, 2.2 * rows + 0.4), dpi=110, layout="constrained")
    FigureCanvasAgg(canvas)
    panels = canvas.subplots(rows, columns, squeeze=False).ravel()
    for axes, shown in zip(panels, targets, strict=False):
        _panel(axes, shown)
    for axes in panels[len(targets) :]:
        axes.set_visible(False)
    handles, labels = panels[0].get_legend_handles_labels()
    canvas.legend(handles, labels, fontsize=9, frameon=False, loc="outside lower center", ncols=len(labels))
    return canvas


def _panel(axes: Axes, shown: Figures) -> None:
    strongest = [
        (x, figure.value)
        for x, shots in enumerate(shown.shots)
        if (b := shown.strongest_baseline(shots)) and (figure := shown.get("ndcg", shots, b))
    ]
    axes.plot(
        [x for x, _ in strongest],
        [y for _, y in strongest],
        color=BASELINES[0],
        marker="_",
        markersize=14,
        markeredgewidth=2.5,
        linestyle="none",
        label="strongest baseline of the setting",
    )
    for n, points in enumerate(points_by_kind(shown, HIER)):
        x = [x for x, _ in points]
        axes.fill_between(
            x,
            [f.low for _, f in points],
            [f.high for _, f in points],
            color=HIER_COLOUR,
            alpha=0.2,
            linewidth=0,
        )
        axes.vlines(
            x, [f.low for _, f in points], [f.high for _, f in points], color=HIER_COLOUR, linewidth=1
        )
        axes.plot(
            x,
            [f.value for _, f in points],
            color=HIER_COLOUR,
            marker="o",
            markersize=4.5,
            linewidth=1.8,
            label="HIER, 95 % interval" if n == 0 else None,
        )
    axes.set_title(f"{shown.domain} ({shown.users:,} users)", loc="left", fontsize=9)
    dress(axes, shown, 7)
    axes.set_xticks(axes.get_xticks(), [setting_words(s).replace(" per user", "/user") for s in shown.shots])


def gains(shown: Figures) -> Canvas | None:
    """HIER's paired NDCG gain over every baseline, with intervals, a panel a setting; None without any."""
    found = {
        shots: {b: c for b in shown.baselines if (c := compare(shown, shots, b))} for shots in shown.shots
    }
    settings = [shots for shots in shown.shots if found[shots]]
    if not settings:
        return None
    names = _hardest_last(found)
    canvas = Canvas(figsize=(9.4, 0.23 * len(names) + 0.9), dpi=110, layout="constrained")
    FigureCanvasAgg(canvas)
    panels = canvas.subplots(1, len(settings), sharey=True, squeeze=False).ravel()
    for axes, shots in zip(panels, settings, strict=True):
        for y, name in enumerate(names):
            if name in found[shots]:
                _gain(axes, y, found[shots][name])
        axes.axvline(0, color=MUTED, linewidth=1)
        axes.set_title(setting_words(shots), fontsize=9)
        axes.set_yticks(range(len(names)), [model_words(n) for n in names])
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.locator_params(axis="x", nbins=3)
        axes.tick_params(labelsize=8, length=0)
        axes.grid(axis="y", color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
    return canvas


def _gain(axes: Axes, y: int, found: Comparison) -> None:
    colour = {"beats": HIER_COLOUR, "level": MUTED, "loses": BASELINES[3]}[found.side]
    axes.plot([found.gain.low, found.gain.high], [y, y], color=colour, linewidth=1.8, solid_capstyle="butt")
    marker = {"beats": "o", "level": "s", "loses": "X"}[found.side]
    axes.plot(found.gain.value, y, color=colour, marker=marker, markersize=5)


def _hardest_last(found: dict[str, dict[str, Comparison]]) -> list[str]:
    """Names of baselines, those over which HIER gains least on average at the top of the picture."""
    gained: dict[str, list[float]] = {}
    for comparisons in found.values():
        for name, c in comparisons.items():
            gained.setdefault(name, []).append(c.gain.value)
    return sorted(gained, key=lambda n: -sum(gained[n]) / len(gained[n]))
