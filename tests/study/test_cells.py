"""Which cells there are, and what they amount to."""

import re

import pytest

from hier_dag.config import load_config
from hier_dag.errors import ConfigError, UsageError
from hier_dag.home import SAMPLE_DOMAINS
from hier_dag.study.ablation import Ablation, AblationStudy
from hier_dag.study.cell import Cell, Overrides
from hier_dag.study.registry import STUDIES, cells_named, study_named
from hier_dag.study.setting import setting_of


@pytest.fixture
def config(studied):
    return studied.config


def labels(name, config):
    return [c.label for c in STUDIES[name].cells(config)]


def test_by_default_sweeps_lie_around_the_declared_values(platform):
    # Declared there: K = 8, P = 4, d = 16, two layers, three sources.
    assert labels("sensitivity", platform.config) == [
        "default", "exemplars_2", "exemplars_4", "exemplars_16", "exemplars_32", "intents_1", "intents_2",
        "intents_8", "intents_16", "dim_8", "dim_32", "layers_1", "layers_3",
    ]  # fmt: skip
    assert labels("scaling", platform.config) == [
        "default", "links_25", "links_50", "links_75", "sources_1", "sources_2"
    ]  # fmt: skip


def test_sweeps_can_be_declared_and_the_declared_value_is_the_default_cell(config):
    assert labels("sensitivity", config) == ["default", "exemplars_4", "dim_8"]
    assert labels("scaling", config) == ["default", "links_50", "sources_1"]


def test_every_cell_has_a_key_for_each_seed_that_dagster_takes(own, declare):
    declare(own, seeds=[0, 3])
    for study in STUDIES.values():
        keys = [c.key for c in study.cells(own.config)]
        assert len(set(keys)) == len(keys)
        assert all(re.fullmatch("[a-z0-9_]+", key) for key in keys)
    assert [c.key for c in STUDIES["scaling"].cells(own.config)] == [
        "default_s0", "links_50_s0", "sources_1_s0", "default_s3", "links_50_s3", "sources_1_s3"
    ]  # fmt: skip


def test_a_cell_changes_what_it_says_and_nothing_else(config):
    by_label = {c.label: setting_of(config, c) for c in STUDIES["sensitivity"].cells(config)}
    default, dim = by_label["default"].params(), by_label["dim_8"].params()
    assert dim["pretrain"].pop("dim") == 8
    assert default["pretrain"].pop("dim") == 16
    assert dim == default
    sources = next(c for c in STUDIES["scaling"].cells(config) if c.label == "sources_1")
    assert setting_of(config, sources).sources == config.source_names[:1]


def test_the_seed_reaches_pre_training_and_transfer(config):
    setting = setting_of(config, Cell("default", seed=7))
    assert (setting.pretrain.seed, setting.transfer.seeds, setting.seed) == (7, (7,), 7)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Overrides(pretrain={"widht": 3}), "widht"),
        (Overrides(pretrain={"dim": 0}), "dim must be at least 1"),
        (Overrides(transfer={"cutoffs": ()}), "cutoffs"),
        (Overrides(sources=("nowhere",)), "0 source domains"),
    ],
)
def test_an_override_that_cannot_be_names_the_cell(config, change, said):
    with pytest.raises(ConfigError, match=said) as caught:
        setting_of(config, Cell("odd", overrides=change))
    assert "odd_s0" in caught.value.message


def test_an_ablation_brings_its_control():
    study = AblationStudy(
        (
            Ablation("no_a", "a", Overrides(pretrain={"dim": 8}), Overrides(pretrain={"dim": 4})),
            Ablation("no_b", "b", Overrides(pretrain={"mi_weight": 0.0})),
        )
    )
    assert [c.label for c in study.cells(load_config(SAMPLE_DOMAINS))] == [
        "default",
        "no_a",
        "no_a_control",
        "no_b",
    ]
    assert [a.control for a in study.ablations] == ["no_a_control", "no_b"]


def test_cells_are_named_by_key_or_label(config):
    study = STUDIES["sensitivity"]
    assert [c.key for c in cells_named(study, config, ["dim_8", "default_s0"])] == ["default_s0", "dim_8_s0"]
    with pytest.raises(UsageError, match="did you mean dim_8"):
        cells_named(study, config, ["dim_9"])


def test_an_unknown_study_is_told_with_its_neighbour():
    with pytest.raises(UsageError, match="did you mean scaling"):
        study_named("scalign")


@pytest.mark.parametrize(
    ("studies", "said"),
    [
        ({"targets": ["nowhere"]}, "studies.targets names no target: nowhere"),
        ({"scaling": {"sources": [9]}}, "asks for 9 sources of 3"),
        ({"shots": ["some"]}, "some"),
        ({"seeds": [1, 1]}, "different whole numbers"),
        ({"platforms": {"A B": "x.yaml"}}, "A B"),
        ({"sensitivity": {"dims": [1]}}, "dims"),
    ],
)
def test_a_wrong_budget_is_told_before_anything_is_spent(own, declare, studies, said):
    declare(own, **studies)
    with pytest.raises(ConfigError, match=re.escape(said)):
        load_config(own.domains)
