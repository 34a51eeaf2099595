"""Pictures of the figures, drawn without a display: PNG for the Dagster UI, SVG for pages."""

from __future__ import annotations

import io

import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from hier_dag.evaluate.card import leading
from hier_dag.evaluate.figures import Figure, Figures, evidence_order, figures
from hier_dag.evaluate.palette import BASELINES, GRID, HIER_COLOUR, MARKERS, MUTED
from hier_dag.evaluate.scored import HIER
from hier_dag.evaluate.words import model_words, setting_words

_LINES = 4
"""Baselines drawn beside HIER and random; more than that cannot be told apart."""


def curve_png(records: pa.Table, domain: str) -> bytes:
    """NDCG against the few-shot setting with 95 % intervals, HIER and baselines, as a PNG below 50 kB.

    Lines join settings of one kind (shares of the domain, interactions per user) and never two kinds. Of many
    baselines, the strongest of each setting, popularity and random are drawn.

    Args:
        records: `RECORD_SCHEMA`, of any number of domains.
        domain: the target.

    Raises:
        UsageError: the table holds no record of the domain.
    """
    canvas = curve(figures(records, domain))
    out = io.BytesIO()
    canvas.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def curve(shown: Figures) -> Canvas:
    """The curve of one target, on a canvas of its own."""
    canvas = Canvas(figsize=(6.8, 3.6), dpi=110, layout="constrained")
    FigureCanvasAgg(canvas)
    axes = canvas.add_subplot()
    models = [*drawn_baselines(shown), HIER]
    for at, model in enumerate(models):
        shift = 0.1 * (at - (len(models) - 1) / 2)  # side by side: intervals must not hide one another
        _draw(axes, shown, model, at, shift)
    axes.set_title(f"{shown.domain}: NDCG@{shown.k} of {shown.users:,} users", loc="left", fontsize=10)
    axes.set_xlabel("training interactions known in the target", fontsize=9)
    axes.set_ylabel(f"NDCG@{shown.k}", fontsize=9)
    dress(axes, shown)
    handles, labels = axes.get_legend_handles_labels()
    order = [len(handles) - 1, *range(len(handles) - 1)]  # HIER is drawn last, on top, and named first
    canvas.legend(
        [handles[at] for at in order],
        [labels[at] for at in order],
        fontsize=9,
        frameon=False,
        loc="outside lower center",
        ncols=min(4, len(order)),
    )
    return canvas


def drawn_baselines(shown: Figures) -> tuple[str, ...]:
    """The baselines of a curve: the leading ones, and random as the floor."""
    some = leading(shown, _LINES)
    return (*some, *(b for b in shown.baselines if b == "random" and b not in some))


def dress(axes: Axes, shown: Figures, size: int = 9) -> None:
    """Ticks, grid and limits that all pictures over settings share."""
    axes.set_xticks(range(len(shown.shots)), [setting_words(shots) for shots in shown.shots])
    axes.set_xlim(-0.5, len(shown.shots) - 0.5)
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=size, length=0)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)


def points_by_kind(shown: Figures, model: str) -> list[list[tuple[int, Figure]]]:
    """A model's (position of the setting, NDCG), one list for each kind of setting that has any."""
    points: dict[int, list[tuple[int, Figure]]] = {}
    for x, shots in enumerate(shown.shots):
        if (figure := shown.get("ndcg", shots, model)) is not None:
            points.setdefault(evidence_order(shots)[0], []).append((x, figure))
    return list(points.values())


def _draw(axes: Axes, shown: Figures, model: str, at: int, shift: float) -> None:
    hier = model == HIER
    colour = HIER_COLOUR if hier else MUTED if model == "random" else BASELINES[at % len(BASELINES)]
    for n, points in enumerate(points_by_kind(shown, model)):
        axes.errorbar(
            [x + shift for x, _ in points],
            [f.value for _, f in points],
            yerr=[
                [max(0.0, f.value - f.low) for _, f in points],
                [max(0.0, f.high - f.value) for _, f in points],
            ],
            color=colour,
            marker="o" if hier else MARKERS[at % len(MARKERS)],
            markersize=6 if hier else 4.5,
            linewidth=2.2 if hier else 1.2,
            elinewidth=1.2,
            capsize=2,
            zorder=3 if hier else 2,
            label=model_words(model) if n == 0 else None,
        )
