"""What the pictures of decision paths share: canvas, colours, and a PNG of few shades."""

from __future__ import annotations

import io
import re

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

INK, MUTED, FAINT = "#1A1A1A", "#6B6B6B", "#E4E4E4"
UP, DOWN = "#0072B2", "#D55E00"
# Okabe and Ito's first, then Tol's muted: families are told apart by place and label as well.
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#882255",
    "#44AA99", "#999933", "#332288", "#AA4499", "#117733", "#DDCC77", "#7A7A7A",
)  # fmt: skip
_SHADES = 96


def canvas(width: float, height: float, dpi: int) -> Figure:
    """An empty figure, in inches, drawn without a display."""
    figure = Figure(figsize=(width, height), dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def png(figure: Figure) -> bytes:
    """The figure as a PNG of few shades: a third of the bytes, and no shade that a reader would miss."""
    raw, out = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", metadata={"Software": None})
    Image.open(raw).convert("RGB").quantize(_SHADES).save(out, format="png", optimize=True)
    return out.getvalue()


def plain(text: str, most: int) -> str:
    """Text of at most so many characters; names may hold `$`, which would start a formula."""
    short = text if len(text) <= most else text[: most - 1].rstrip(" ·") + "…"
    return re.sub(r"(?<!\\)\$", r"\\$", short)
