import dataclasses

import pytest

from hier_dag.errors import ConfigError
from hier_dag.transfer.head_params import HeadParams
from hier_dag.transfer.params import TransferParams

NAMES = [field.name for field in dataclasses.fields(HeadParams)]
SCALES = ["crowd_scales", "taste_scales", "content_scales"]


def test_the_defaults_stand_and_are_what_transfer_has():
    assert TransferParams().head == HeadParams()
    assert all(0.0 in getattr(HeadParams(), name) for name in SCALES), "a group can always be turned off"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [-0.1, float("nan"), float("inf")])
def test_a_value_that_is_negative_or_no_number_is_named(name, wrong):
    with pytest.raises(ValueError, match=f"^{name} must"):
        HeadParams(**{name: (1.0, wrong) if name in SCALES else wrong})


@pytest.mark.parametrize("name", [n for n in NAMES if n not in SCALES])
def test_zero_is_a_value(name):
    assert getattr(HeadParams(**{name: 0}), name) == 0


@pytest.mark.parametrize("name", SCALES)
def test_scales_need_one_above_zero(name):
    for wrong in ((), (0.0,), (0.0, 0.0)):
        with pytest.raises(ValueError, match=name):
            HeadParams(**{name: wrong})
    assert getattr(HeadParams(**{name: (2.0,)}), name) == (2.0,)


def test_a_declared_head_reaches_transfer_and_a_wrong_one_is_named_with_its_line(tmp_path):
    from hier_dag.config import load_config

    file = tmp_path / "domains.yaml"
    text = """\
platform: tiny
domains:
  shop: {{role: source, sources: {{path: a.csv, columns: {{user_id: u, item_id: i}}}}}}
  cafe: {{role: target, sources: {{path: b.csv, columns: {{user_id: u, item_id: i}}}}}}
stages:
  transfer:
    head: {{{head}}}
"""
    file.write_text(text.format(head="crowd_scales: [0, 1], inertia: 2"))
    head = load_config(file).stages.transfer.head
    assert head == HeadParams(crowd_scales=(0.0, 1.0), inertia=2.0)
    for wrong, said in (
        ("inertia: -1", "inertia"),
        ("crowd_scale: [1]", "crowd_scale"),
        ("inertia: .nan", "inertia"),
    ):
        file.write_text(text.format(head=wrong))
        with pytest.raises(ConfigError, match=said):
            load_config(file)
