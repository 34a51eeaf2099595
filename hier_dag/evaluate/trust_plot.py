"""A small picture of the rehearsal: how far the crowd could be trusted, by few-shot pairs an item."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hier_dag.model.crowd_trust import CrowdTrust

_CHOSEN = "#e8590c"
_WORST = 0.7  # shares of the best gain at and below this have one colour


def trust_png(trust: CrowdTrust) -> bytes:
    """Mean share of the best gain by density and scale, and the prior at each density, as PNG below 50 kB."""
    figure = Figure(figsize=(5.2, 2.8), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    share = np.array([trust.curve(float(d)) for d in trust.densities])
    rows = np.arange(len(trust.scales))
    mesh = axes.pcolormesh(np.arange(len(share)), rows, share.T, cmap="Blues", vmin=_WORST, vmax=1)
    priors = [trust.prior(float(d)) for d in trust.densities]
    place = [int(np.argmin(np.abs(trust.scales - p))) for p in priors]
    axes.plot(np.arange(len(place)), place, color=_CHOSEN, marker="o", markersize=4, label="prior")
    axes.set_xticks(np.arange(len(share)), [f"{d:g}" for d in trust.densities])
    axes.set_yticks(rows, [f"{s:.3g}" for s in trust.scales])
    axes.set_xlabel("few-shot pairs an item")
    axes.set_ylabel("scale of the crowd")
    axes.legend(framealpha=0.85, loc="upper left", labelcolor=_CHOSEN)
    figure.colorbar(mesh, ax=axes, label="share of best NDCG@10")
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()
