"""What the pictures of all studies share: colours, axes, and a PNG small enough for Dagster's event log."""

from __future__ import annotations

import io

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

# Okabe and Ito's colours, told apart by readers with any colour vision; markers differ as well.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#7A7A7A")
MARKERS = "osD^vPX"
INK, FAINT = "#1A1A1A", "#E4E4E4"
_DPI, _SHADES = 110, 96


def canvas(width: float, height: float) -> Figure:
    """An empty figure, in inches, drawn without a display."""
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def dress(axes: Axes, title: str = "", x: str = "", y: str = "") -> None:
    """Titles, small ticks, a faint grid along the axis that is read."""
    axes.set_title(title, loc="left", fontsize=9)
    axes.set_xlabel(x, fontsize=8)
    axes.set_ylabel(y, fontsize=8)
    axes.tick_params(labelsize=8, length=0)
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)


def legend(figure: Figure, axes: Axes, columns: int) -> None:
    """One legend below all axes."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        fontsize=8,
        frameon=False,
        loc="outside lower center",
        ncols=min(columns, len(labels)),
    )


def png(figure: Figure) -> bytes:
    """The figure as a PNG of few shades: a third of the bytes, and no shade that a reader would miss."""
    raw, out = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", metadata={"Software": None})
    Image.open(raw).convert("RGB").quantize(_SHADES).save(out, format="png", optimize=True)
    return out.getvalue()
