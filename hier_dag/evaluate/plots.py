"""Small pictures of the figures, drawn without a display."""

from __future__ import annotations

import io

import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from hier_dag.evaluate.card import setting_words
from hier_dag.evaluate.figures import Figures, evidence_order, figures
from hier_dag.evaluate.records import HIER

# Okabe and Ito's colours, told apart by readers with any colour vision.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
_RANDOM_COLOUR = "#8C8C8C"
_MARKERS = "osD^vP"


def curve_png(records: pa.Table, domain: str) -> bytes:
    """NDCG against the few-shot setting with 95 % intervals, HIER and baselines, as a PNG below 50 kB.

    Lines join settings of one kind (shares of the domain, interactions per user) and never two kinds.

    Args:
        records: `RECORD_SCHEMA`, of any number of domains.
        domain: the target.

    Raises:
        UsageError: the table holds no record of the domain.
    """
    shown = figures(records, domain)
    canvas = Canvas(figsize=(6.4, 3.4), dpi=110, layout="constrained")
    FigureCanvasAgg(canvas)
    axes = canvas.add_subplot()
    models = [*(b for b in shown.baselines if b != HIER), HIER]
    for at, model in enumerate(models):
        _draw(axes, shown, model, at, len(models))
    _dress(axes, shown)
    out = io.BytesIO()
    canvas.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _draw(axes: Axes, shown: Figures, model: str, at: int, models: int) -> None:
    hier = model == HIER
    rank = shown.baselines.index(model) + 1 if not hier else 0
    colour = _RANDOM_COLOUR if model == "random" else _COLOURS[rank % len(_COLOURS)]
    shift = 0.12 * (at - (models - 1) / 2)  # side by side, so that intervals do not hide one another
    first = True
    for kind in range(4):
        points = [
            (x + shift, f)
            for x, shots in enumerate(shown.shots)
            if evidence_order(shots)[0] == kind and (f := shown.get("ndcg", shots, model))
        ]
        if not points:
            continue
        axes.errorbar(
            [x for x, _ in points],
            [f.value for _, f in points],
            yerr=[
                [max(0.0, f.value - f.low) for _, f in points],
                [max(0.0, f.high - f.value) for _, f in points],
            ],
            color=colour,
            marker=_MARKERS[rank % len(_MARKERS)],
            markersize=6 if hier else 4.5,
            linewidth=2.0 if hier else 1.2,
            elinewidth=1.2,
            capsize=2.5,
            zorder=3 if hier else 2,
            label=("HIER" if hier else model.replace("_", " ")) if first else None,
        )
        first = False


def _dress(axes: Axes, shown: Figures) -> None:
    users = max(figure.users for figure in shown.table.values())
    axes.set_title(f"{shown.domain}: NDCG@{shown.k} of {users:,} users", loc="left", fontsize=10)
    axes.set_xticks(range(len(shown.shots)), [setting_words(shots) for shots in shown.shots])
    axes.set_xlim(-0.5, len(shown.shots) - 0.5)
    axes.set_xlabel("training interactions known in the target", fontsize=9)
    axes.set_ylabel(f"NDCG@{shown.k}", fontsize=9)
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=9, length=0)
    axes.grid(axis="y", color="#E4E4E4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    handles, labels = axes.get_legend_handles_labels()
    order = [len(handles) - 1, *range(len(handles) - 1)]  # HIER is drawn last, on top, and named first
    axes.figure.legend(
        [handles[at] for at in order],
        [labels[at] for at in order],
        fontsize=9,
        frameon=False,
        loc="outside lower center",
        ncols=len(order),
    )
