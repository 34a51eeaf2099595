"""A small picture of a training curve."""

from __future__ import annotations

import io

import pyarrow as pa
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_LOSS, _NDCG, _GRID = "#4c6ef5", "#e8590c", "#dee2e6"


def training_png(curve: pa.Table) -> bytes:
    """Loss and validation NDCG@10 against epochs, as PNG bytes below 50 kB.

    Args:
        curve: curve.parquet of an encoder: epoch, loss, ndcg (null without validation), kept.
    """
    figure = Figure(figsize=(5.2, 2.8), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    epochs = curve["epoch"].to_numpy()
    loss = figure.subplots()
    loss.plot(epochs, curve["loss"].to_numpy(), color=_LOSS, marker="o", markersize=3)
    loss.set_xlabel("epoch")
    loss.set_ylabel("loss", color=_LOSS)
    loss.set_xticks(epochs)
    loss.grid(color=_GRID, linewidth=0.6)
    loss.spines[["top"]].set_visible(False)
    if curve["ndcg"].null_count < curve.num_rows:
        ndcg = loss.twinx()
        values = curve["ndcg"].to_numpy(zero_copy_only=False)
        ndcg.plot(epochs, values, color=_NDCG, marker="s", markersize=3)
        kept = curve["kept"].to_numpy(zero_copy_only=False)
        ndcg.plot(epochs[kept], values[kept], color=_NDCG, marker="*", markersize=13, linestyle="none")
        ndcg.set_ylabel("validation NDCG@10 (★ kept)", color=_NDCG)
        ndcg.spines[["top"]].set_visible(False)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()
