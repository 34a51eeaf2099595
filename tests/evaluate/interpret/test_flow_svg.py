"""Decision paths as a small picture: every ribbon as wide as what it carries, names as text."""

import re
import xml.etree.ElementTree as ET

import pytest

from hier_dag.evaluate.interpret.flow_svg import flow_svg
from hier_dag.evaluate.interpret.reading import Exemplar, Family, Intent, Ranked, Reading

_EXEMPLARS = (
    Exemplar(0, "Tea", (Ranked(0, "Green <b>Tea", 2.0),), (), 3),
    Exemplar(1, "Bread", (Ranked(1, "Rye & Spelt", 1.0),), (), 2),
)
_PATHS = (Ranked(0, "Tea", 0.75), Ranked(1, "Bread", 0.25))
READING = Reading(
    _EXEMPLARS,
    (Intent(0, "Breakfast", (), _PATHS, 0.6, 0), Intent(1, "Supper", (), _PATHS[1:], 0.2, 1)),
    (Family(0, "Breakfast", (), (0,), 0.6), Family(1, "Supper", (), (1,), 0.2)),
)


def widths(svg):
    """Height of each ribbon where it ends, in drawing order."""
    return [float(w) for w in re.findall(r"v(-?[\d.]+)C", svg)]


def test_ribbons_carry_what_their_paths_carry():
    drawn = sorted(widths(flow_svg(READING)))
    # Supper and breakfast lead to bread, and what enters bread leaves it; so with tea.
    carried = [0.2 * 0.25, 0.6 * 0.25, 0.2 * 0.25 + 0.6 * 0.25, 0.6 * 0.75, 0.6 * 0.75]
    assert [w / sum(drawn) for w in drawn] == pytest.approx([c / sum(carried) for c in carried], abs=0.005)


def test_names_are_text_whatever_they_hold():
    picture = ET.fromstring(flow_svg(READING))
    words = ["".join(t.itertext()) for t in picture.iter("text")]
    assert {"Breakfast", "Supper", "Tea", "Bread", "Green <b>Tea", "Rye & Spelt"} <= set(words)


def test_a_reading_without_any_path_is_an_empty_picture():
    picture = ET.fromstring(flow_svg(Reading((), (), ())))
    assert picture.tag == "svg" or picture.tag.endswith("}svg")
    assert not list(picture.iter("path"))
