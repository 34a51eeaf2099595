"""Matplotlib canvases as SVG that sits inside a page: nothing fetched, colours that follow its theme."""

from __future__ import annotations

import io
import re

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas

from hier_dag.evaluate.palette import HIER_COLOUR

_HEAD = re.compile(r"<svg .*?>", re.DOTALL)
_BEFORE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_DROPPED = re.compile(r"<metadata>.*?</metadata>|<style.*?</style>| font-family: [^;]*;", re.DOTALL)
_BOX = re.compile(r'viewBox="([^"]+)"')


def inline_svg(canvas: Canvas, name: str, words: str) -> str:
    """A canvas as an `<svg>` element for an HTML page, the same bytes for the same picture.

    Text stays text in the page's font; black becomes the page's text colour and HIER's colour the page's
    variable `--hier`; the background is left out.

    Args:
        canvas: the picture.
        name: keeps the ids inside apart from those of other pictures on the page; [a-z0-9_]+.
        words: what the picture shows, for readers who cannot see it.
    """
    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        canvas.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    svg = _DROPPED.sub("", _BEFORE.sub("", out.getvalue()))
    box = _BOX.search(svg)
    head = f'<svg viewBox="{box.group(1) if box else ""}" role="img" aria-label="{_escaped(words)}">'
    svg = _HEAD.sub(lambda _: head, svg, count=1)
    svg = re.sub(r'id="([^"]+)"', rf'id="{name}_\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{name}_\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}_\1)", svg)
    svg = svg.replace(HIER_COLOUR.lower(), "var(--hier)")
    return re.sub(r"#000000|(?<=fill: )black", "currentColor", svg)


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
