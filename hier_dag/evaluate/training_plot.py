"""A small picture of a training curve."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from hier_dag.evaluate.interpret.canvas import canvas, png

_LOSS, _NDCG, _GRID = "#4c6ef5", "#e8590c", "#dee2e6"
_MONITORS = {  # column: (words, colour)
    "open_paths": ("open paths", "#868e96"),
    "exemplar_entropy": ("exemplar entropy", "#2f9e44"),
    "view_cosine": ("cosine of views", "#ae3ec9"),
    "user_rank": ("rank of users", "#1098ad"),
    "item_rank": ("rank of items", "#c2255c"),
}


def training_png(curve: pa.Table) -> bytes:
    """Loss and validation NDCG@10 against epochs, collapse monitors below, as PNG bytes under 50 kB.

    Args:
        curve: curve.parquet of an encoder: epoch, loss, ndcg (null without validation), kept, open_paths and
            the monitors, null where they were not measured.
    """
    figure = canvas(5.2, 4.2, 90)
    figure.set_layout_engine("constrained")
    loss, monitors = figure.subplots(2, sharex=True, height_ratios=(1.3, 1))
    _loss_and_ndcg(loss, curve)
    _monitors(monitors, curve)
    monitors.set_xlabel("epoch")
    monitors.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in (loss, monitors):
        axes.grid(color=_GRID, linewidth=0.6)
        axes.spines[["top"]].set_visible(False)
    return png(figure)


def _loss_and_ndcg(loss: Axes, curve: pa.Table) -> None:
    epochs = curve["epoch"].to_numpy()
    loss.plot(epochs, curve["loss"].to_numpy(), color=_LOSS, marker="o", markersize=3)
    loss.set_ylabel("loss", color=_LOSS)
    if curve["ndcg"].null_count < curve.num_rows:
        ndcg = loss.twinx()
        values = curve["ndcg"].to_numpy(zero_copy_only=False)
        ndcg.plot(epochs, values, color=_NDCG, marker="s", markersize=3)
        kept = curve["kept"].to_numpy(zero_copy_only=False)
        ndcg.plot(epochs[kept], values[kept], color=_NDCG, marker="*", markersize=13, linestyle="none")
        ndcg.set_ylabel("NDCG@10 (★ kept)", color=_NDCG)
        ndcg.spines[["top"]].set_visible(False)


def _monitors(axes: Axes, curve: pa.Table) -> None:
    """Every monitor that was measured, its words beside the panel in the order in which its lines end."""
    lines = []
    for name, (words, colour) in _MONITORS.items():
        values = curve[name].cast(pa.float64()).to_numpy(zero_copy_only=False)
        if np.isfinite(values).any():
            (line,) = axes.plot(curve["epoch"].to_numpy(), values, color=colour, marker="o", markersize=2.5)
            lines.append((values[-1], words, line))
    lines.sort(key=lambda end: -end[0])
    axes.set_ylim(-0.03, 1.03)
    axes.set_ylabel("monitors")
    if lines:
        axes.legend(
            [line for _, _, line in lines], [words for _, words, _ in lines], fontsize=7, frameon=False,
            loc="center left", bbox_to_anchor=(1, 0.5),
        )  # fmt: skip
