"""A picture of what a set was made of: raw files, events, graph, encoder, model, set, from left to right."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from hier_dag.audit.evidence.made_of import Made
from hier_dag.pipeline.stages import ENCODER, EVENTS, GRAPH, LINKS, MODEL, PUBLISHED

_ORDER = (EVENTS, LINKS, GRAPH, ENCODER, MODEL, PUBLISHED)
_COLUMN = {EVENTS: 0, LINKS: 0, GRAPH: 1, ENCODER: 2, MODEL: 3, PUBLISHED: 4}
_WIDTH, _HEIGHT, _GAP_X, _GAP_Y = 184, 38, 30, 8
_LETTERS, _SHORT = 27, 12


def lineage_svg(made: Sequence[Made]) -> str:
    """Boxes and arrows as `<svg>`; artifacts of kinds that are not of the pipeline are left out.

    Args:
        made: the set and everything that it was made of.
    """
    shown = sorted(
        (m for m in made if m.row.kind in _COLUMN), key=lambda m: (_ORDER.index(m.row.kind), m.title)
    )
    columns: dict[int, list[Made]] = {}
    for one in shown:
        columns.setdefault(_COLUMN[one.row.kind], []).append(one)
    most = max(map(len, columns.values()))
    height = most * (_HEIGHT + _GAP_Y)
    place = {
        one.row.digest: (
            column * (_WIDTH + _GAP_X),
            (height - len(own) * (_HEIGHT + _GAP_Y)) / 2 + n * (_HEIGHT + _GAP_Y),
        )
        for column, own in columns.items()
        for n, one in enumerate(own)
    }
    out = [f'<svg viewBox="-1 -1 {5 * _WIDTH + 4 * _GAP_X + 2} {height + 2}" font-size="12">']
    for one in shown:
        out += [
            _arrow(place[p], place[one.row.digest])
            for p in one.row.manifest["parents"].values()
            if p in place
        ]
    out += [_box(one, *place[one.row.digest]) for one in shown]
    return "".join([*out, "</svg>"])


def _box(one: Made, x: float, y: float) -> str:
    title = one.title if len(one.title) <= _LETTERS else one.title[: _LETTERS - 1] + "…"
    return (
        f'<rect x="{x:.0f}" y="{y:.1f}" width="{_WIDTH}" height="{_HEIGHT}" rx="5" fill="var(--panel)" '
        'stroke="var(--line)"/>'
        f'<text x="{x + 8:.0f}" y="{y + 16:.1f}">{escape(title)}</text>'
        f'<text class="soft" x="{x + 8:.0f}" y="{y + 30:.1f}" font-size="10.5">'
        f"{one.row.digest[:_SHORT]}</text>"
    )


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    x0, y0, x1, y1 = start[0] + _WIDTH, start[1] + _HEIGHT / 2, end[0], end[1] + _HEIGHT / 2
    bend = (x0 + x1) / 2 if x1 - x0 <= _GAP_X else x1 - _GAP_X / 2
    return (
        f'<path d="M{x0:.0f},{y0:.1f}C{bend:.0f},{y0:.1f} {bend:.0f},{y1:.1f} {x1:.0f},{y1:.1f}" fill="none" '
        'stroke="var(--soft)" stroke-opacity=".6"/>'
    )
