"""docs/domains_yaml.md promises that a key it does not list is a mistake, so it lists every key there is."""

import dataclasses
import re
from pathlib import Path

import pytest

from hier_dag.config.models import PlatformConfig
from hier_dag.config.stages import Stages
from hier_dag.transfer.params import FAST_BASELINES, TRAINED_BASELINES

DOCS = (Path(__file__).parents[2] / "docs" / "domains_yaml.md").read_text()
ROWS = {
    cells[0].strip(): cells[2] for line in DOCS.splitlines() if len(cells := line.strip("|").split("|")) == 3
}


def names(params):
    if dataclasses.is_dataclass(params):
        return [field.name for field in dataclasses.fields(params)]
    return list(params.model_fields)


KEYS = [(stage, name) for stage, of in Stages.model_fields.items() for name in names(of.annotation)]


@pytest.mark.parametrize(("stage", "name"), KEYS, ids=lambda part: part)
def test_every_parameter_of_a_stage_is_listed(stage, name):
    own = {f"`{stage}.{name}`", f"`{stage}.{name}.*`"} & ROWS.keys()
    assert own or re.search(rf"\b{name}\b", ROWS.get(f"`{stage}.*`", ""))


@pytest.mark.parametrize("name", PlatformConfig.model_fields)
def test_every_top_level_key_is_listed(name):
    assert f"`{name}`" in ROWS


def test_the_baselines_to_choose_from_are_listed():
    trained = re.findall(r"`(\w+)`", ROWS["`transfer.trained_baselines`"])
    assert trained == list(TRAINED_BASELINES)
    assert set(FAST_BASELINES) <= set(re.findall(r"`(\w+)`", ROWS["`gates.transfer_baselines`"]))
