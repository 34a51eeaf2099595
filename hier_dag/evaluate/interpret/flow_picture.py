"""The picture of decision paths: intents → exemplars → entities."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from hier_dag.evaluate.interpret.canvas import COLOURS, INK, MUTED, canvas, plain, png
from hier_dag.evaluate.interpret.flow import INTENT, Flow, Flows, Key, Node, flows_of
from hier_dag.evaluate.interpret.reading import Reading

_AT = (0.0, 0.40, 0.86)  # left edges of the columns
_BAR, _GAP = 0.010, 0.35
_LETTERS = (52, 40, 30)  # of the labels of each column


def flow_png(reading: Reading, *, small: bool = False) -> bytes:
    """The strongest intents and where their open paths lead, as a PNG below 200 kB, or 50 kB where small.

    Args:
        reading: names and paths.
        small: fewer intents and paths, for the Dagster UI.
    """
    flows = flows_of(reading, *((6, 2, 2) if small else (12, 3, 2)), gap=_GAP)
    rows = max(sum(node.key[0] == column for node in flows.nodes) for column in range(3))
    width, size = (9.4, 8.0) if small else (13.0, 8.5)
    height = 0.55 + rows * (0.21 if small else 0.215)
    figure = canvas(width, height, 90 if small else 110)
    left = 3.2 if small else 3.9  # inches: the longest label of an intent
    axes = figure.add_axes((left / width, 0.12 / height, 1 - (left + 1.5) / width, 1 - 0.55 / height))
    _draw(axes, flows, size)
    axes.set_xlim(0, _AT[-1] + _BAR)
    axes.set_ylim(1 + _GAP, 0)
    axes.axis("off")
    for at, head in zip(_AT, ("intents", "exemplars", flows.ends), strict=True):
        edge, shift = ("right", _BAR) if at == 0 else ("left", 0.0)
        axes.annotate(
            head, (at + shift, 0), xytext=(0, 9), textcoords="offset points",
            ha=edge, fontsize=size + 1, color=MUTED, fontweight="bold",
        )  # fmt: skip
    return png(figure)


def _draw(axes: Axes, flows: Flows, size: float) -> None:
    place = {node.key: node for node in flows.nodes}
    used: dict[tuple[Key, bool], float] = {}
    leaving = sorted(flows.flows, key=lambda f: (place[f.start].top, place[f.end].top))
    starts = {(f.start, f.end): _take(used, place[f.start], f.width, leaving=True) for f in leaving}
    for flow in sorted(flows.flows, key=lambda f: (place[f.end].top, place[f.start].top)):
        end = _take(used, place[flow.end], flow.width, leaving=False)
        _ribbon(axes, flow, starts[flow.start, flow.end], end)
    for node in flows.nodes:
        _bar(axes, node, size)


def _take(used: dict[tuple[Key, bool], float], node: Node, width: float, *, leaving: bool) -> float:
    """Where on its node's edge a ribbon starts or ends; the next one goes on below it."""
    at = used.get((node.key, leaving), node.top)
    used[node.key, leaving] = at + width
    return at


def _ribbon(axes: Axes, flow: Flow, start: float, end: float) -> None:
    left, right, width = _AT[flow.start[0]] + _BAR, _AT[flow.end[0]], flow.width
    bend = (left + right) / 2
    corners = [
        (left, start), (bend, start), (bend, end), (right, end),
        (right, end + width), (bend, end + width), (bend, start + width), (left, start + width),
        (left, start),
    ]  # fmt: skip
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    face = COLOURS[flow.family % len(COLOURS)]
    axes.add_patch(PathPatch(Path(corners, codes), facecolor=face, alpha=0.3, edgecolor="none"))


def _bar(axes: Axes, node: Node, size: float) -> None:
    column = node.key[0]
    at, middle = _AT[column], node.top + node.height / 2
    face = COLOURS[node.family % len(COLOURS)]
    axes.add_patch(Rectangle((at, node.top), _BAR, node.height, color=face, linewidth=0))
    text = plain(node.name, _LETTERS[column])
    if column == INTENT:
        axes.text(at - 0.008, middle, text, va="center", ha="right", fontsize=size, color=INK)
    else:
        axes.text(at + _BAR + 0.005, middle, text, va="center", fontsize=size - 1, color=INK)
