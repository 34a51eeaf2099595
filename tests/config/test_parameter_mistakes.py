"""Parameters that no stage could work with are mistakes of domains.yaml, found before anything is trained."""

import copy
import dataclasses
import math

import pytest
from pydantic import ValidationError

from hier_dag.config import check_config
from hier_dag.config.stages import PublishParams
from hier_dag.evaluate.baselines import BASELINES, all_baselines
from hier_dag.model.registry import FORMULATIONS
from hier_dag.parameters import ParameterError
from hier_dag.train.params import CHOICES, PretrainParams
from hier_dag.transfer.params import FAST_BASELINES, TRAINED_BASELINES, TransferParams

TEXT = """\
platform: tiny
domains:
  shop: {{role: source, sources: {{path: shop.csv}}}}
  cafe: {{role: target, sources: {{path: cafe.csv}}}}
stages:
{stages}"""
NUMBERS = [f.name for f in dataclasses.fields(PretrainParams) if f.type in ("int", "float")]
REALS = [f.name for f in dataclasses.fields(PretrainParams) if f.type == "float"]


@pytest.fixture
def check(folder):
    def of(*stages):
        path = folder / "domains.yaml"
        path.write_text(TEXT.format(stages="".join(f"  {line}\n" for line in stages)))
        return check_config(path)

    return of


@pytest.mark.parametrize(
    ("stage", "key", "value", "says", "fix"),
    [
        ("pretrain", "model", "duel", "one of dual, recommended, literal, is 'duel'", "did you mean 'dual'?"),
        ("pretrain", "model", "x", "one of dual, recommended, literal", "write one of dual, recommended, "),
        ("pretrain", "bottleneck", "hsci", "one of infonce, hsic", "did you mean 'hsic'?"),
        ("pretrain", "learning_rate", ".nan", "must be positive and finite, is nan", "docs"),
        ("pretrain", "mi_weight", ".inf", "must be finite and not negative, is inf", "docs"),
        ("pretrain", "seed", "-1", "must be finite and not negative, is -1", "docs"),
        ("transfer", "trained_baselines", "[mf, lightgnc]", "one of mf, lightgcn_few_shot", "'lightgcn'?"),
        ("transfer", "trained_baselines", "[ease]", "is 'ease'", "write one of mf, "),
        ("transfer", "trained_baselines", "[x]", "is 'x'", "write one of mf, "),
        ("transfer", "lift_weight", ".nan", "must be finite, is nan", "docs"),
        ("transfer", "visitor_weight", "-.inf", "must be finite, is -inf", "docs"),
        ("transfer", "finetune_min_per_item", "-0.5", "not negative", "docs"),
        ("transfer", "finetune_min_per_item", ".nan", "not negative", "docs"),
        ("transfer", "finetune_min_per_item", ".inf", "a large number such as 1000000", "docs"),
        ("transfer", "finetune_learning_rate", "0", "must be positive and finite, is 0.0", "docs"),
        ("transfer", "finetune_learning_rate", ".inf", "must be positive and finite", "docs"),
        ("transfer", "kappa", ".inf", "must be positive and finite", "docs"),
        ("transfer", "shots", "['3', '0%']", "a share above 0 %", "docs"),
        ("transfer", "publish_shots", "0.00%", "a share above 0 %", "docs"),
        ("transfer", "seeds", "[1, 1]", "different whole numbers from 0 on, is [1, 1]", "docs"),
        ("transfer", "seeds", "[0, -1]", "different whole numbers from 0 on", "docs"),
        ("transfer", "seeds", "[]", "one or more different", "docs"),
        ("gates", "transfer_baselines", "[populerity]", "is 'populerity'", "did you mean 'popularity'?"),
        ("gates", "transfer_baselines", "[ease, kgin]", "kgin is not scored", "stages.transfer.trained_"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named_with_line_and_fix(check, stage, key, value, says, fix):
    config, issues = check(f"{stage}:", f"  {key}: {value}")
    assert config is None
    assert [(i.line, i.where) for i in issues] == [(7, f"stages.{stage}.{key}")]
    assert says in issues[0].message
    assert fix in issues[0].fix


@pytest.mark.parametrize(
    "place",
    [
        "ftp://joe:s3cret@host.invalid/vectors",
        "sftp://joe@s3cret/vectors",
        "https://host.invalid/vectors?token=s3cret",
        "simplecache::ftp://joe:s3cret@host.invalid/vectors",
    ],
)
def test_a_copy_that_holds_credentials_is_refused_and_not_repeated(check, place):
    config, issues = check("publish:", f"  copies: [/data/copy, '{place}']")
    assert config is None
    assert [(i.line, i.where) for i in issues] == [(7, "stages.publish.copies")]
    assert "place 2" in issues[0].message
    assert "environment" in issues[0].fix
    assert "s3cret" not in repr(issues)
    with pytest.raises(ValidationError) as caught:
        PublishParams(copies=(place,))
    assert "s3cret" not in str(caught.value)


def test_all_mistakes_of_all_sets_of_parameters_are_reported_together(check):
    _, issues = check(
        "pretrain:", "  model: duel", "  dim: 0",
        "transfer:", "  lift_weight: .nan", "  trained_baselines: [foo, bar]",
        "gates: {transfer_baselines: [baz]}",
    )  # fmt: skip
    assert [i.line for i in issues] == [7, 8, 10, 11, 11, 12]


@pytest.mark.parametrize(
    "lines",
    [
        ("transfer: {trained_baselines: [kgin]}", "gates: {transfer_baselines: [kgin, ease]}"),
        ("transfer: {shots: ['0.5%', '100%', '12', all], publish_shots: 1.0%}",),
        ("transfer: {finetune_min_per_item: 0, lift_weight: -1, visitor_weight: 0}",),
        ("pretrain: {model: literal, mi_weight: 0, seed: 7}",),
        ("publish: {copies: ['/data/joe@home?', 's3://bucket/joe@home', 'memory://x']}",),
    ],
)
def test_what_can_be_is_no_mistake(check, lines):
    assert check(*lines)[1] == []


def test_the_names_to_choose_from_are_those_that_are_registered():
    assert set(CHOICES["model"]) == set(FORMULATIONS)
    assert set(FAST_BASELINES) == set(BASELINES)
    assert {*FAST_BASELINES, *TRAINED_BASELINES} == set(all_baselines())


@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_of_pre_training_is_negative(name):
    with pytest.raises(ParameterError, match=f"^{name} must"):
        PretrainParams(**{name: -1})


@pytest.mark.parametrize("name", REALS)
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_every_number_of_pre_training_is_finite(name, value):
    with pytest.raises(ParameterError, match=f"^{name} must"):
        PretrainParams(**{name: value})


def test_mistakes_survive_being_copied_as_between_processes():
    with pytest.raises(ParameterError) as caught:
        TransferParams(seeds=(), kappa=0.0)
    again = copy.deepcopy(caught.value)
    assert [m.name for m in again.mistakes] == ["seeds", "kappa"]
    assert str(again) == str(caught.value)
