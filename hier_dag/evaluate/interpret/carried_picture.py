"""The picture of one score: the terms that it is made of, and the decision paths that carry one of them."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from hier_dag.evaluate.interpret.canvas import DOWN, FAINT, INK, MUTED, UP, canvas, plain, png

Bars = Sequence[tuple[str, float]]
"""(what it is, what it adds to the score)."""

_ROW, _LETTERS = 0.24, 92


def carried_png(title: str, terms: Bars, paths: Bars) -> bytes:
    """Bars of what every term adds, and below them of what each path adds, as a PNG below 50 kB.

    Args:
        title: the user, the item and the score.
        terms: of the score; they sum to it.
        paths: intent → exemplar, the largest first, and what all others add; empty where there are none.
    """
    rows = len(terms) + len(paths)
    left, width = 5.7, 9.6
    height = 1.0 + _ROW * rows + (0.55 if paths else 0.0)
    figure = canvas(width, height, 100)
    figure.text(
        0.12 / width, 1 - 0.28 / height, plain(title, 110), fontsize=9.5, color=INK, fontweight="bold"
    )
    top = height - 0.75
    for head, bars in (("terms of the score", terms), ("decision paths: intent → exemplar", paths)):
        if not bars:
            continue
        tall = _ROW * len(bars)
        axes = figure.add_axes(
            (left / width, (top - tall) / height, (width - left - 0.65) / width, tall / height)
        )
        _draw(axes, bars)
        figure.text(0.12 / width, (top + 0.07) / height, head, fontsize=8.5, color=MUTED, fontweight="bold")
        top -= tall + 0.45
    return png(figure)


def _draw(axes: Axes, bars: Bars) -> None:
    values = [value for _, value in bars]
    low, high = min(0.0, *values), max(0.0, *values)
    reach = (high - low) or 1.0
    at = range(len(bars))
    axes.barh(at, values, color=[UP if value >= 0 else DOWN for value in values], height=0.68)
    for row, value in zip(at, values, strict=True):
        place, edge = (value + 0.015 * reach, "left") if value >= 0 else (value - 0.015 * reach, "right")
        axes.text(place, row, f"{value:+.3f}", va="center", ha=edge, fontsize=7.5, color=INK)
    axes.set_yticks(at, [plain(name, _LETTERS) for name, _ in bars])
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_xlim(low - (0.22 * reach if low < 0 else 0), high + 0.16 * reach)
    axes.axvline(0, color=FAINT, linewidth=1, zorder=0)
    axes.set_xticks([])
    axes.tick_params(labelsize=8, length=0)
    axes.spines[:].set_visible(False)
