"""The picture of decision paths as `<svg>`, without a plotting library: intents → exemplars → ends."""

from __future__ import annotations

from html import escape

from hier_dag.evaluate.interpret.flow import INTENT, Flow, Flows, Key, Node, flows_of
from hier_dag.evaluate.interpret.reading import Reading
from hier_dag.evaluate.palette import BASELINES, HIER_COLOUR

_COLOURS = (HIER_COLOUR, *BASELINES)
_WIDTH, _LEFT, _RIGHT, _BAR, _ROW, _HEAD = 960, 270, 170, 9, 20, 30
_GAP = 0.35
_LETTERS = (38, 32, 26)  # of the labels of each column


def flow_svg(reading: Reading, *, intents: int = 8, paths: int = 2, entities: int = 2) -> str:
    """The strongest intents and where their open paths lead; a ribbon is as wide as what it carries.

    Args:
        reading: names and paths.
        intents: intents at most.
        paths: paths an intent at most.
        entities: entities an exemplar at most.
    """
    flows = flows_of(reading, intents, paths, entities, _GAP)
    rows = max((sum(node.key[0] == column for node in flows.nodes) for column in range(3)), default=1)
    height = _HEAD + _ROW * rows + 10
    scale = (height - _HEAD - 10) / (1 + _GAP)
    out = [f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" font-size="11.5">']
    for column, head in enumerate(("intents", "exemplars", flows.ends)):
        side = ("end", _BAR) if column == INTENT else ("start", 0)
        out.append(
            f'<text class="soft" x="{_at(column) + side[1]}" y="16" text-anchor="{side[0]}" '
            f'font-weight="600">{head}</text>'
        )
    out += _ribbons(flows, scale)
    out += [_bar(node, scale) for node in flows.nodes]
    return "".join([*out, "</svg>"])


def _at(column: int) -> float:
    """Left edge of a column."""
    return _LEFT + column * (_WIDTH - _LEFT - _RIGHT - _BAR) / 2


def _ribbons(flows: Flows, scale: float) -> list[str]:
    place = {node.key: node for node in flows.nodes}
    used: dict[tuple[Key, bool], float] = {}

    def take(node: Node, width: float, leaving: bool) -> float:
        at = used.get((node.key, leaving), node.top)
        used[node.key, leaving] = at + width
        return at

    leaving = sorted(flows.flows, key=lambda f: (place[f.start].top, place[f.end].top))
    starts = {(f.start, f.end): take(place[f.start], f.width, True) for f in leaving}
    arriving = sorted(flows.flows, key=lambda f: (place[f.end].top, place[f.start].top))
    return [_ribbon(f, starts[f.start, f.end], take(place[f.end], f.width, False), scale) for f in arriving]


def _ribbon(flow: Flow, start: float, end: float, scale: float) -> str:
    left, right = _at(flow.start[0]) + _BAR, _at(flow.end[0])
    bend, width = (left + right) / 2, flow.width * scale
    y0, y1 = _HEAD + start * scale, _HEAD + end * scale
    path = (
        f"M{left:.1f},{y0:.1f}C{bend:.1f},{y0:.1f} {bend:.1f},{y1:.1f} {right:.1f},{y1:.1f}v{width:.1f}"
        f"C{bend:.1f},{y1 + width:.1f} {bend:.1f},{y0 + width:.1f} {left:.1f},{y0 + width:.1f}z"
    )
    return f'<path d="{path}" fill="{_colour(flow.family)}" fill-opacity=".35"/>'


def _bar(node: Node, scale: float) -> str:
    column, top, height = node.key[0], _HEAD + node.top * scale, node.height * scale
    name = (
        node.name
        if len(node.name) <= _LETTERS[column]
        else node.name[: _LETTERS[column] - 1].rstrip(" ·") + "…"
    )
    x, side = (_at(column) - 6, "end") if column == INTENT else (_at(column) + _BAR + 5, "start")
    return (
        f'<rect x="{_at(column):.1f}" y="{top:.1f}" width="{_BAR}" height="{max(height, 1):.1f}" '
        f'fill="{_colour(node.family)}"/>'
        f'<text x="{x:.1f}" y="{top + height / 2 + 4:.1f}" text-anchor="{side}">{escape(name)}</text>'
    )


def _colour(family: int) -> str:
    return _COLOURS[family % len(_COLOURS)]
