"""The picture of how strongly intents drive domains: a heat map of sources and targets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from hier_dag.evaluate.interpret.canvas import INK, MUTED, canvas, plain, png
from hier_dag.evaluate.interpret.reading import Reading
from hier_dag.graph.csr import FloatArray

_MOST = 24  # intents of a picture; more rows are not read
_LIFT = 2.0  # colour is full where an intent is four times as strong as on the platform, or a quarter
_LETTERS = 54


def strength_png(
    reading: Reading, strength: FloatArray, domains: Sequence[str], sources: int, *, small: bool = False
) -> bytes:
    """Mean a_up of each strong intent in each domain, as a PNG below 200 kB, or 50 kB where small.

    Numbers are mean strengths in per cent; the colour compares them with the platform's mean, so that what is
    special about a domain stands out. Intents of a family are next to one another.

    Args:
        reading: names and families.
        strength: float32 [P, domains].
        domains: names, sources first.
        sources: how many of them are sources.
        small: fewer intents, for the Dagster UI.
    """
    families = reading.families
    shown = sorted(
        reading.strongest(12 if small else _MOST), key=lambda i: (-families[i.family].strength, -i.strength)
    )
    values = strength[[intent.number for intent in shown]].astype(np.float64)
    overall = np.array([max(intent.strength, 1e-9) for intent in shown])[:, None]
    lift = np.clip(np.log2(np.maximum(values, 1e-9) / overall), -_LIFT, _LIFT)
    left, cell = 3.4, 0.62
    width, height = left + cell * len(domains) + 0.5, 1.35 + 0.235 * len(shown)
    figure = canvas(width, height, 90 if small else 110)
    axes = figure.add_axes(
        (left / width, 0.35 / height, cell * len(domains) / width, 0.235 * len(shown) / height)
    )
    axes.imshow(lift, cmap="RdBu_r", vmin=-_LIFT, vmax=_LIFT, aspect="auto")
    _numbers(axes, values, lift)
    axes.set_yticks(range(len(shown)), [plain(intent.name, _LETTERS) for intent in shown])
    _domains(axes, domains, sources)
    for row in range(1, len(shown)):
        if shown[row].family != shown[row - 1].family:
            axes.axhline(row - 0.5, color="white", linewidth=2.5)
    figure.text(
        0.1 / width, 0.08 / height,
        "mean strength in %; red: stronger than on the platform, blue: weaker; gaps part families",
        fontsize=7, color=MUTED,
    )  # fmt: skip
    return png(figure)


def _numbers(axes: Axes, values: np.ndarray, lift: np.ndarray) -> None:
    for row, column in np.ndindex(values.shape):
        dark = abs(lift[row, column]) > 0.65 * _LIFT
        text = f"{100 * values[row, column]:.1f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=6.5, color="white" if dark else INK)


def _domains(axes: Axes, domains: Sequence[str], sources: int) -> None:
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(domains)), [plain(d, 18) for d in domains], rotation=35, ha="left")
    axes.tick_params(labelsize=7.5, length=0)
    for at, label in enumerate(axes.get_xticklabels()):
        label.set_fontweight("bold" if at < sources else "normal")
    axes.axvline(sources - 0.5, color="white", linewidth=4)
    axes.spines[:].set_visible(False)
