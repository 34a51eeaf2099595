import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from hier_dag.evaluate.interpret.canvas import plain
from hier_dag.evaluate.interpret.carried_picture import carried_png
from hier_dag.evaluate.interpret.flow import END, EXEMPLAR, INTENT, flows_of
from hier_dag.evaluate.interpret.flow_picture import flow_png
from hier_dag.evaluate.interpret.read import Words
from hier_dag.evaluate.interpret.strength import domain_strength
from hier_dag.evaluate.interpret.strength_picture import strength_png
from hier_dag.graph.csr import from_coo


def size(png):
    return Image.open(io.BytesIO(png)).size


def test_ribbons_are_as_wide_as_strength_times_path_and_lose_nothing(world):
    reading = world.read()
    shown = flows_of(reading, intents=3, paths=2, entities=2, gap=0.3)
    first = [f for f in shown.flows if f.start[0] == INTENT]
    assert sum(f.width for f in first) == pytest.approx(1)
    drawn = {
        (i.number, p.number): i.strength * p.score
        for i in reading.strongest(3)
        for at, p in enumerate(i.paths[:2])
        if p.score >= 0.05 or at == 0
    }
    total = sum(drawn.values())
    assert {(f.start[1], f.end[1]): f.width for f in first} == pytest.approx(
        {key: width / total for key, width in drawn.items()}
    )
    nodes = {n.key: n for n in shown.nodes}
    for key, node in nodes.items():
        inflow = sum(f.width for f in shown.flows if f.end == key)
        outflow = sum(f.width for f in shown.flows if f.start == key)
        if key[0] == EXEMPLAR:
            assert node.height == pytest.approx(inflow) == pytest.approx(outflow)
        if key[0] == END:
            assert node.name == world.words.entities[key[1]]
    for column in range(3):
        own = [n for n in shown.nodes if n.key[0] == column]
        assert all(a.top + a.height < b.top + 1e-9 for a, b in pairwise(own))
        assert own[-1].top + own[-1].height <= 1.3 + 1e-9


def test_without_entities_the_last_column_holds_items(world):
    none = np.zeros(0, np.int64)
    reading = world.read(
        links=from_coo(none, none, 60, 0), words=Words(np.zeros(0, object), world.words.items)
    )
    shown = flows_of(reading, intents=2, paths=2, entities=2, gap=0.3)
    assert shown.ends == "items"
    assert all(n.name.startswith("Item ") for n in shown.nodes if n.key[0] == END)
    assert flow_png(reading).startswith(b"\x89PNG")


def test_pictures_are_small_and_the_small_ones_smaller(world):
    reading = world.read()
    users = {"noodles": np.arange(0, 240, 3), "tacos": np.arange(2, 240, 3), "new": np.zeros(0, np.int64)}
    strength = domain_strength(world.encoding.intents, users)
    for draw in (
        lambda small: flow_png(reading, small=small),
        lambda small: strength_png(reading, strength, tuple(users), 2, small=small),
    ):
        assert len(draw(False)) < 200_000
        assert len(draw(True)) < 50_000
        assert size(draw(True)) < size(draw(False))
        assert draw(False) == draw(False)


def test_strength_is_the_mean_over_users_with_history():
    intents = np.array([[0.5, 0.5], [1, 0], [0, 0]], np.float32)
    found = domain_strength(intents, {"a": np.arange(3), "b": np.array([2]), "c": np.array([0])})
    assert found == pytest.approx(np.array([[0.75, 0, 0.5], [0.25, 0, 0.5]]))


def test_a_score_of_any_sign_and_any_name_is_drawn():
    png = carried_png(
        "costs $5 and $6", [("popularity", -3.0), ("paths", 0.4)], [("a $x$ → b", 0.3), ("c", -0.1)]
    )
    assert png.startswith(b"\x89PNG")
    assert len(png) < 50_000
    assert size(carried_png("zero-shot", [("zero_shot", 0.0)], []))[1] < size(png)[1]


def test_text_is_cut_and_never_a_formula():
    assert plain("Miso · Ramen", 8) == "Miso…"
    assert plain("a $x$", 20) == r"a \$x\$"
    assert plain(plain("a $x$", 20), 20) == r"a \$x\$"
