"""What TensorBoard shows of a training is what its record says, each point once, however often it was cut."""

import sys

import numpy as np
import pytest

from hier_dag.errors import ConfigError
from hier_dag.train.checkpoint import Checkpoints
from hier_dag.train.monitors import MONITORS
from hier_dag.train.pretrain import pretrain
from hier_dag.train.tensorboard import EPOCHS, STEPS, Curves

pytest.importorskip("tensorboard", reason="pip install -e '.[tensorboard]'")


class Cut(Exception):
    """Ends a training as a kill would: nothing is saved."""


def shown(folder, run):
    """Points by tag as TensorBoard itself reads them: number and value."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder / run), size_guidance={"scalars": 0}).Reload()
    return {tag: [(e.step, e.value) for e in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def trained(case, folder, **options):
    """Trains with a point at every step."""
    curves = Curves(folder, every=1)
    try:
        return pretrain(case.graph, case.params, curves=curves, **options)
    finally:
        curves.close()


@pytest.fixture(scope="module")
def whole(case, tmp_path_factory):
    """The curves of a training that was not cut, and what came of it."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, trained(case, folder)


def test_every_figure_of_an_epochs_record_is_shown_by_epoch(whole):
    folder, done = whole
    curves = shown(folder, EPOCHS)
    want = {
        "loss": "loss",
        "open paths": "open_paths",
        "validation/NDCG@10": "ndcg",
        "validation/HR@10": "hr",
    }
    for tag, name in want.items():
        points = [(r.epoch, np.float32(getattr(r, name))) for r in done.curve]
        assert curves.pop(tag) == points
    for term in done.curve[0].terms:
        assert curves.pop(f"terms/{term}") == [(r.epoch, np.float32(r.terms[term])) for r in done.curve]
    monitored = {f"monitors/{name}" for name in MONITORS if name in done.curve[0].monitors}
    assert curves.keys() == monitored | {"seconds"}


def test_loss_and_learning_rate_are_shown_by_step_and_average_to_the_epochs_loss(whole):
    folder, done = whole
    curves = shown(folder, STEPS)
    numbers, losses = zip(*curves["step/loss"], strict=True)
    steps = len(numbers) // len(done.curve)
    assert numbers == tuple(range(1, steps * len(done.curve) + 1))
    means = np.reshape(losses, (-1, steps)).mean(1)
    np.testing.assert_allclose(means, [r.loss for r in done.curve], rtol=1e-5)
    rates = [rate for _, rate in curves["step/learning rate"]]
    assert 0 < rates.index(max(rates)) < len(rates) - 1  # it rises and falls


def test_a_training_that_was_killed_goes_on_in_the_same_curves(case, whole, tmp_path):
    def killed_after(steps):
        left = iter(range(steps))

        def stop():
            if next(left, None) is None:
                raise Cut
            return False

        return stop

    # Saved at the beginning and the epochs' ends alone, so that steps told are lost each time.
    for steps in (2, 6, 9):
        checkpoints = Checkpoints(tmp_path / "saved", "key", every=3600)
        with pytest.raises(Cut):
            trained(case, tmp_path / "curves", checkpoints=checkpoints, stop=killed_after(steps))
        checkpoints.close()
    checkpoints = Checkpoints(tmp_path / "saved", "key", every=3600)
    trained(case, tmp_path / "curves", checkpoints=checkpoints)
    checkpoints.close()
    for run in (EPOCHS, STEPS):
        cut, want = (shown(folder, run) for folder in (tmp_path / "curves", whole[0]))
        cut.pop("seconds", None), want.pop("seconds", None)
        assert cut == want


def test_a_training_begun_anew_under_the_same_key_replaces_the_curves(case, whole, tmp_path):
    for _ in range(2):
        trained(case, tmp_path)
    assert shown(tmp_path, STEPS) == shown(whole[0], STEPS)


def test_curves_that_are_gone_on_with_at_once_lose_nothing(tmp_path):
    """TensorBoard reads files by name: of one second, that of a process of a lower number is first."""
    for first in (1, 2):
        curves = Curves(tmp_path, every=1)
        curves.goes_on(first, first)
        for number in (first, first + 1):  # the second is lost, and told again by the next
            curves.step(number, loss=first, learning_rate=0.1)
        curves.close()
        for path in (tmp_path / STEPS).iterdir():
            stem, second = str(path).split("tfevents.")[0], path.name.split(".")[3]
            path.rename(f"{stem}tfevents.{second}.zz.{9 - first}")
    assert shown(tmp_path, STEPS)["step/loss"] == [(1, 1), (2, 2), (3, 2)]


def test_few_steps_are_told_unless_more_are_asked_for(case, whole, tmp_path):
    curves = Curves(tmp_path)
    pretrain(case.graph, case.params, curves=curves)
    curves.close()
    points = shown(whole[0], STEPS)["step/loss"]
    assert shown(tmp_path, STEPS)["step/loss"] == points[9::10]


def test_where_tensorboard_is_not_installed_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    with pytest.raises(ConfigError, match=r"pip install -e '\.\[tensorboard\]'") as told:
        Curves(tmp_path / "curves")
    assert told.value.column == "trainer.tensorboard"
    assert not (tmp_path / "curves").exists()
