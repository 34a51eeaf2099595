"""A small picture of a report card, written without a plotting library: NDCG by setting, with intervals."""

from __future__ import annotations

from html import escape

from hier_dag.evaluate.figures import Figures
from hier_dag.evaluate.scored import HIER
from hier_dag.evaluate.words import model_words, setting_words

_WIDTH, _ROW, _TOP, _BOTTOM, _LEFT, _RIGHT = 760, 44, 8, 30, 120, 230
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


def settings_svg(shown: Figures) -> str:
    """NDCG of HIER with its 95 % interval beside the strongest baseline's, a row a setting, as `<svg>`.

    Colours are the page's variables `--hier` and `--rival`, and text its own colour.

    Args:
        shown: figures of one domain.
    """
    rows = [(s, shown.get("ndcg", s, HIER), shown.strongest_baseline(s)) for s in shown.shots]
    both = [(s, h, shown.get("ndcg", s, b) if b else None, b) for s, h, b in rows if h is not None]
    most = max(f.high for _, h, base, _ in both for f in (h, base) if f is not None) or 1.0
    step = next((s for s in _STEPS if most / s <= 6), _STEPS[-1])
    height = _TOP + _ROW * len(both) + _BOTTOM

    def x(value: float) -> float:
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * value / most, 1)

    out = [f'<svg viewBox="0 0 {_WIDTH} {height}" font-size="13">']
    for n in range(int(most / step) + 1):
        at = x(n * step)
        out.append(
            f'<line x1="{at}" x2="{at}" y1="{_TOP}" y2="{height - _BOTTOM}" stroke="#8c8c8c40"/>'
            f'<text class="soft" x="{at}" y="{height - 10}" text-anchor="middle" font-size="11">'
            f"{n * step:g}</text>"
        )
    out.append(
        f'<text class="soft" x="{_LEFT - 12}" y="{height - 10}" text-anchor="end">NDCG@{shown.k}</text>'
    )
    for n, (shots, hier, base, name) in enumerate(both):
        y = _TOP + _ROW * n + 14
        out.append(
            f'<text x="{_LEFT - 12}" y="{y + 12}" text-anchor="end">{escape(setting_words(shots))}</text>'
        )
        marks = [(y, hier, "--hier", "HIER")]
        if base is not None and name is not None:
            marks.append((y + 16, base, "--rival", model_words(name)))
        for at, f, colour, words in marks:
            out.append(
                f'<line x1="{x(f.low)}" x2="{x(f.high)}" y1="{at}" y2="{at}" stroke="var({colour})" '
                f'stroke-width="3" stroke-opacity=".45"/>'
                f'<circle cx="{x(f.value)}" cy="{at}" r="4.5" fill="var({colour})"/>'
                f'<text x="{x(f.high) + 9}" y="{at + 4}" font-size="12">{f.value:.3f} '
                f'<tspan class="soft">{escape(words)}</tspan></text>'
            )
    return "".join([*out, "</svg>"])
