"""The small picture of a report card: figures where they belong, names as text."""

import xml.etree.ElementTree as ET

from hier_dag.evaluate.figures import Figure, Figures
from hier_dag.evaluate.settings_svg import settings_svg


def shown(*rows):
    table = {}
    for shots, model, value in rows:
        table["all", "ndcg", 10, shots, model] = Figure(value, value - 0.01, value + 0.01, 50, "")
    models = tuple(dict.fromkeys(m for _, m, _ in rows if m != "hier"))
    return Figures("cafe", table, 10, tuple(dict.fromkeys(s for s, *_ in rows)), models, 1)


def test_points_lie_in_the_order_of_the_figures():
    picture = ET.fromstring(settings_svg(shown(("0", "hier", 0.3), ("0", "ease", 0.1), ("1", "hier", 0.2))))
    at = [float(c.get("cx")) for c in picture.iter("circle")]
    assert at[1] < at[2] < at[0]
    words = ["".join(t.itertext()) for t in picture.iter("text")]
    assert {"0.300 HIER", "0.100 EASE", "zero-shot", "1 per user", "NDCG@10"} <= set(words)


def test_a_name_that_looks_like_markup_and_figures_of_nothing_are_drawn():
    assert "<b>" not in settings_svg(shown(("0", "hier", 0.0), ("0", "<b>&", 0.0)))
    ET.fromstring(settings_svg(shown(("0", "hier", 0.0), ("0", "<b>&", 0.0))))
