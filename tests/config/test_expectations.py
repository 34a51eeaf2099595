"""Bounds of expectations are typed; what is not one is refused with its line and a close match."""

import re
from pathlib import Path

import pytest

from hier_dag.config import check_config
from hier_dag.config.expectations import NAMES, ExpectationParams
from schemas.expectations.declared import shipped

DOCS = (Path(__file__).parents[2] / "docs" / "domains_yaml.md").read_text()

DOCUMENT = """\
platform: test
domains:
  shop:
    role: source
    sources: {{path: shop.csv}}
    expectations: {{volume_ratio: {{min: 0.2, level: warn}}}}
  other: {{role: target, audience: platform, catalogue: {{path: c.csv}}}}
stages:
  expectations: {{{declared}}}
"""


def checked(tmp_path, declared):
    path = tmp_path / "domains.yaml"
    path.write_text(DOCUMENT.format(declared=declared))
    return check_config(path, check_files=False)


def test_what_is_declared_is_kept_and_nothing_else(tmp_path):
    config, issues = checked(tmp_path, "rows: {max: null}, hour_ks: {level: skip}, suites: mine.json")
    assert not issues
    whole = config.stages.expectations
    assert {n: b.declared for n, b in whole.bounds.items()} == {
        "rows": {"max": None},
        "hour_ks": {"level": "skip"},
    }
    assert whole.suites == ("mine.json",)
    assert config.domains["shop"].expectations.bounds["volume_ratio"].declared == {
        "level": "warn",
        "min": 0.2,
    }
    assert config.domains["other"].expectations.bounds == {}


@pytest.mark.parametrize(
    ("declared", "message", "fix"),
    [
        ("volume_ration: {min: 1}", "Extra inputs are not permitted", "did you mean 'volume_ratio'?"),
        ("volume_ratio: {least: 1}", "Extra inputs are not permitted", ""),
        ("volume_ratio: {level: blok}", "'warn', 'block' or 'skip'", "did you mean 'block'?"),
        ("volume_ratio: {min: 3, max: 1}", "min must not be above max, is 3 > 1", ""),
        ("volume_ratio: {max: .inf}", "finite numbers", ""),
        ("volume_ratio: 0.5", "", ""),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path, declared, message, fix):
    config, issues = checked(tmp_path, declared)
    assert config is None
    (issue,) = issues
    assert issue.line == 9
    assert issue.where.startswith("stages.expectations.volume_rat")
    assert message in issue.message
    assert fix in issue.fix


def test_a_suite_that_is_no_file_is_named(tmp_path):
    (tmp_path / "shop.csv").write_text("user_id,item_id\na,b\n")
    (tmp_path / "c.csv").write_text("item_id\nb\n")
    checked(tmp_path, "suites: [mine.json]")
    config, (issue,) = check_config(tmp_path / "domains.yaml")
    assert config is None
    assert (issue.line, issue.where) == (9, "stages.expectations.suites")
    assert "no suite" in issue.message
    assert "mine.json" in issue.message
    (tmp_path / "mine.json").write_text("{}")
    assert check_config(tmp_path / "domains.yaml")[1] == []


def test_the_documented_defaults_are_those_of_the_suites():
    documented = dict(re.findall(r"^\| `expectations\.(\w+)` \| (.+?) \|", DOCS, re.MULTILINE))
    assert documented.keys() == {*NAMES, "suites"}
    for expectation in shipped():
        given = {k: expectation.kwargs.get(f"{k}_value") for k in ("min", "max")}
        bounds = [f"{k} {v:g}" for k, v in given.items() if v is not None]
        level = "block" if expectation.blocks else "warn"
        assert documented[expectation.name] == ", ".join([*bounds, level])


def test_names_are_the_fields():
    assert set(NAMES) == set(ExpectationParams.model_fields) - {"suites"}
    assert all(ExpectationParams.model_fields[name].description for name in NAMES)
