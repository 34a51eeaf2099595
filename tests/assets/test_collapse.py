"""An encoder that has collapsed is refused by name, unless that is accepted knowingly."""

import dagster as dg
import pytest

from hier_dag.config.collapse import CollapseBounds
from hier_dag.pipeline.stages import ENCODER
from hier_dag.train.monitors import MONITORS
from hier_dag.train.update import Updater


@pytest.fixture
def pretrained(own, pretrain_again):
    """Pre-trains with other parameters and a level of the gate; gives the run and its check."""

    def run(level="block", **changes):
        collapse = CollapseBounds(level=level)
        gates = own.config.stages.gates.model_copy(update={"collapse": collapse, "encoder": "warn"})
        result = pretrain_again(gates=gates, **changes)
        (check,) = [c for c in result.get_asset_check_evaluations() if c.check_name == "collapse"]
        return result, check

    return run


CLOSED = {"path_weight": 1000.0, "gate_lr_multiplier": 2000.0}  # every gate closes within an epoch


def test_closed_gates_are_refused_by_name_with_the_fix_and_nothing_is_committed(own, pretrained):
    before = own.latest(ENCODER).digest
    result, check = pretrained(**CLOSED)
    assert not result.success
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    said = check.metadata["message"].value
    assert "open_paths 0 is below min_open_paths 0.0001" in said
    assert "exemplar_entropy 0 is below min_exemplar_entropy 0.05" in said
    assert check.metadata["view_cosine"].value <= 1
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    told = failure.step_failure_data.user_failure_data.description
    assert said in told
    assert "lower stages.pretrain.path_weight or gate_lr_multiplier" in told
    assert "stages.gates.collapse" in told
    assert own.latest(ENCODER).digest == before


def test_a_collapse_that_is_accepted_knowingly_stays_on_record(own, pretrained):
    result, check = pretrained("warn", **CLOSED)
    assert result.success
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.WARN


def test_what_was_refused_is_accepted_without_training_it_again(own, pretrained, monkeypatch):
    refused, _ = pretrained(**CLOSED)
    assert not refused.success
    monkeypatch.setattr(Updater, "__call__", lambda *_: pytest.fail("a step was trained"))
    accepted, check = pretrained("warn", **CLOSED)
    assert accepted.success
    assert not check.passed
    assert not list(own.home.checkpoints.iterdir())


def test_what_was_accepted_with_a_warning_does_not_pass_a_block(own, pretrained):
    accepted, _ = pretrained("warn", **CLOSED)
    assert accepted.success
    refused, check = pretrained("block", **CLOSED)
    assert not refused.success
    assert not check.passed


def test_a_sound_encoder_passes_and_shows_its_monitors(own, pretrained):
    result, check = pretrained(seed=7)
    assert result.success
    assert check.passed
    assert set(check.metadata) == {"open_paths", *MONITORS}
    (made,) = result.asset_materializations_for_node("pretrain__encoder")
    assert {"open_paths", *MONITORS} <= set(made.metadata)


def test_without_decision_paths_none_of_theirs_is_judged(pretrained):
    result, check = pretrained(content_paths=False)
    assert result.success
    assert set(check.metadata) == {"user_rank", "item_rank"}
