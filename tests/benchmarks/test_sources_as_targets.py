"""Platforms in which a source plays the target: the declaration made, overrides, ratios."""

import argparse
import copy
import importlib
import sys
from pathlib import Path

import pytest
import yaml

from hier_dag.config import load_config

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ("yelp_city", "yelp_category", "sample")


@pytest.fixture(scope="module")
def bench():
    """The script, its neighbours importable as they are when it is run."""
    folder = str(ROOT / "benchmarks")
    sys.path.insert(0, folder)
    try:
        yield importlib.import_module("sources_as_targets")
    finally:
        sys.path.remove(folder)


def example(name):
    return yaml.safe_load((ROOT / "examples" / name / "domains.yaml").read_text(encoding="utf-8"))


def loaded(text, tmp_path):
    file = tmp_path / "domains.yaml"
    file.write_text(yaml.safe_dump(text), encoding="utf-8")
    return load_config(file)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_source_in_turn_is_the_only_target_of_a_valid_platform(bench, name, tmp_path):
    text = example(name)
    before = copy.deepcopy(text)
    real_targets = {d for d, domain in text["domains"].items() if domain["role"] == "target"}
    sources = bench.sources_of(text)
    assert len(sources) >= 2
    for target in sources:
        config = loaded(bench.with_target(text, target), tmp_path)
        assert list(config.target_names) == [target]
        assert set(config.source_names) == set(sources) - {target}
        assert not real_targets & set(config.domains)
        split = config.split_of(target)
        assert (split.kind, split.test, split.validation) == ("seeded_hash", 0.5, 0.2)
    assert text == before


def test_a_split_of_the_sources_own_does_not_leave_the_target_without_tests(bench, tmp_path):
    text = example("yelp_city")
    text["domains"]["city_40"]["split"] = {"kind": "seeded_hash", "test": 0.0, "validation": 0.1}
    assert loaded(bench.with_target(text, "city_40"), tmp_path).split_of("city_40").test == 0.5


def test_a_target_is_refused_as_a_source_and_so_is_the_only_source(bench):
    text = example("yelp_city")
    with pytest.raises(SystemExit, match="city_10 is no source"):
        bench.with_target(text, "city_10")
    for name in ("city_31", "city_35"):
        del text["domains"][name]
    with pytest.raises(SystemExit, match="only source"):
        bench.with_target(text, "city_40")


def test_overrides_reach_the_declaration_as_yaml_values(bench, tmp_path):
    text = bench.staged(bench.with_target(example("yelp_city"), "city_40"), 3, ["1%", "1"], [])
    asked = [
        "stages.pretrain.dim=32",
        "stages.transfer.head.crowd_scales=[0.5, 1.0]",
        "stages.publish.coverage.max_fallback=0.5",
    ]
    changed = bench.with_overrides(text, [bench.parsed(a) for a in asked])
    config, default = loaded(changed, tmp_path), loaded(text, tmp_path)
    assert config.stages.pretrain.dim == 32 != default.stages.pretrain.dim
    assert config.stages.transfer.head.crowd_scales == (0.5, 1.0)
    assert config.stages.publish.coverage.max_fallback == 0.5
    assert (config.stages.pretrain.seed, config.stages.transfer.shots) == (3, ("1%", "1"))


@pytest.mark.parametrize("wrong", ["stages.pretrain.dim", "=3", "stages..dim=3", "stages.transfer.shots=[1"])
def test_an_override_that_cannot_be_read_is_refused(bench, wrong):
    with pytest.raises(argparse.ArgumentTypeError):
        bench.parsed(wrong)


def test_an_override_through_a_plain_value_is_refused(bench):
    with pytest.raises(SystemExit, match="platform holds"):
        bench.with_overrides(example("yelp_city"), [bench.parsed("platform.name=3")])


def record(shots, metric, value, **other):
    return {
        "shots": shots,
        "metric": metric,
        "value": value,
        "model": "hier",
        "slice": "all",
        "k": 10,
    } | other


def test_figures_are_hiers_over_all_users_one_an_encoder(bench):
    noise = [
        record("1", "ndcg", 9.0, model="popularity"),
        record("1", "ndcg", 9.0, slice="cold"),
        record("1", "ndcg", 9.0, k=50),
    ]
    runs = [[record("1", "ndcg", v), record("1", "hr", 2 * v), *noise] for v in (0.1, 0.2)]
    assert bench.figures_of(runs, ["1"]) == {"1": {"ndcg": [0.1, 0.2], "hr": [0.2, 0.4]}}
    with pytest.raises(SystemExit, match="setting 3"):
        bench.figures_of(runs, ["1", "3"])


def test_ratios_are_of_means_over_encoders_and_averaged_over_platforms(bench):
    def figures(*ndcg):
        return {"0": {"ndcg": list(ndcg), "hr": [0.0 for _ in ndcg]}}

    platforms = {
        "food": {"default": figures(0.1, 0.3), "changed": figures(0.2, 0.4)},
        "nightlife": {"default": figures(0.4, 0.4), "changed": figures(0.2, 0.2)},
    }
    out = bench.ratios(platforms)["0"]
    assert out["ndcg"] == pytest.approx({"food": 1.5, "nightlife": 0.5, "mean": 1.0})
    assert out["hr"] == {"food": None, "nightlife": None, "mean": None}
    assert "| 0 | NDCG@10 | **ratio** | 1.500 | 0.500 | 1.000 |" in bench.table(platforms)
