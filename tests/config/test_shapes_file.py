"""A file of shapes is read or refused with every mistake at once: its line, what it is, how to mend it."""

import pytest

from hier_dag.config import load_config
from hier_dag.config.load import check_config
from hier_dag.config.shapes import Shapes
from hier_dag.config.shapes_file import check_shapes, load_shapes
from hier_dag.errors import ConfigError
from hier_dag.pipeline.requests import _graph_contract
from schemas.shapes.constraints import PACKAGED, packaged_shapes

DOMAINS = """\
platform: tiny
domains:
  shop: {role: source, sources: {path: shop.csv}}
  cafe: {role: target, sources: {path: cafe.csv}}
stages:
  graph:
    shapes: SHAPES
"""


@pytest.fixture
def declared(folder):
    def write(shapes, name="shapes.yaml", written=None):
        (folder / name).write_text(shapes)
        (folder / "domains.yaml").write_text(DOMAINS.replace("SHAPES", written or name))
        return folder / "domains.yaml"

    return write


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ("{node: Itm, property: id, minCount: 1}", "'User', 'Item' or 'Entity'"),
        ("{node: User, property: name, minCount: 1}", "a User has no name"),
        ("{node: Item, property: id}", "declares no constraint"),
        ("{node: Item, property: id, minCoun: 1}", "did you mean 'minCount'"),
        ("{node: Item, property: id, minCount: '1'}", "valid integer"),
        ("{node: Item, property: id, minCount: 1, severity: bad}", "'violation' or 'warning'"),
        ("{relation: likes, maxPerPair: 1}", "no relation 'likes'"),
        ("{relation: 'social:shop', maxPerPair: 1}", "no relation 'social:shop'"),
        ("{relation: 'interacts:bar', maxPerPair: 1}", "no domain is called 'bar'"),
        ("{relation: social, from: Item}", "social goes from User, not Item"),
        ("{relation: has_entity, symmetric: true}", "between nodes of one type"),
        ("{relation: has_entity, minCount: 1}", "`per` (from or to) goes with"),
        ("{relation: has_entity, per: to, maxPerPair: 1}", "`per` (from or to) goes with"),
        ("{relation: interacts, weight: {minInclusive: .nan}}", "finite"),
        ("{property: id, minCount: 1}", "add 'relation'"),
        ("3", "valid dictionary"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_fix(declared, shape, says):
    good = "  - {relation: social, irreflexive: true}\n"
    path = declared(f"shapes:\n{good}  - {shape}\n")
    config, issues = check_config(path)
    assert config is None
    assert all((i.line, i.where) == (7, "stages.graph.shapes") for i in issues)
    assert any(says in f"{i.message} {i.fix}" for i in issues), issues
    assert all("shapes.yaml line 3: shapes.1" in i.message for i in issues), issues


def test_all_mistakes_come_at_once(declared):
    path = declared(
        "shapes:\n- {relation: likes, maxPerPair: 1}\n- {node: Item, property: id, minCount: 0}\n"
    )
    assert len(check_config(path)[1]) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("shapes: [", "line 1"),
        ("- 1", "valid dictionary"),
        ("shapes: []\nother: 1", "other"),
        ("shapes: !!python/object:os.system []", "not allowed"),
        ("shapes: []\nshapes: []", "declared twice"),
        ("shapes: []\n# " + "x" * (1 << 20), "larger than 1 MiB"),
    ],
)
def test_a_file_that_is_no_shapes_is_refused(tmp_path, text, says):
    path = tmp_path / "shapes.yaml"
    path.write_text(text)
    shapes, mistakes = check_shapes(path)
    assert shapes is None
    assert any(says in message for message, _ in mistakes), mistakes
    with pytest.raises(ConfigError, match="mistake"):
        load_shapes(path)


@pytest.mark.parametrize("written", ["none.yaml", "../shapes.yaml", "/etc/hostname", '"a\\0b"'])
def test_a_file_that_is_not_there_or_lies_outside_is_refused(declared, written):
    config, issues = check_config(declared("shapes: []", written=written))
    assert config is None
    assert [(i.line, i.where) for i in issues] == [(7, "stages.graph.shapes")]


def test_shapes_survive_the_way_through_a_request():
    assert Shapes.model_validate({"shapes": packaged_shapes().plain()}) == packaged_shapes()
    assert len(packaged_shapes().shapes) == PACKAGED.read_text().count("\n  - ")


def test_a_graph_is_asked_for_anew_when_a_shape_or_a_limit_changes_and_not_when_the_file_moves(declared):
    one = "shapes:\n- {relation: social, irreflexive: true}\n"
    asked = _graph_contract(load_config(declared(one)))
    assert asked["shapes"] == [{"relation": "social", "irreflexive": True}]
    assert _graph_contract(load_config(declared(one, "moved.yaml"))) == asked
    assert (
        _graph_contract(load_config(declared(one.replace("ir", "", 1).replace("reflexive", "symmetric"))))
        != asked
    )
    path = declared(one)
    path.write_text(path.read_text() + "    max_hub_share: 0.5\n")
    assert _graph_contract(load_config(path)) != asked
