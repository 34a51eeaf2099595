"""What people read while an encoder is trained."""

import itertools

import pytest

from hier_dag.errors import Interrupted
from hier_dag.train import fit
from hier_dag.train.checkpoint import Checkpoints
from hier_dag.train.pretrain import pretrain
from hier_dag.train.progress import Progress, as_step, duration


def test_a_step_says_what_matters_most_first():
    step = as_step(Progress(3, 5, 10, 40, 4.3214, 0.12345, 98_765.4, 0.02, 79.2))
    assert step.text == "epoch 3/5, loss 4.321, NDCG@10 0.1235, 1 min 20 s left, 98,765 pairs/s"
    assert (step.done, step.total) == (90, 200)


def test_what_is_not_known_yet_or_over_is_left_out():
    first = as_step(Progress(1, 5, 1, 40, 4.0, None, 10.0, 1.0, 30.0))
    assert first.text == "epoch 1/5, loss 4.000, 30 s left, 10 pairs/s"
    last = as_step(Progress(5, 5, 40, 40, 4.0, 0.1, 10.0, 1.0, 0.0))
    assert last.text == "epoch 5/5, loss 4.000, NDCG@10 0.1000, 10 pairs/s"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"), (59.0, "59 s"), (59.1, "1 min 0 s"), (80, "1 min 20 s"), (3599.5, "1 h 0 min"),
        (7530, "2 h 5 min"),
    ],
)  # fmt: skip
def test_durations_in_two_units(seconds, words):
    assert duration(seconds) == words


class Clock:
    """Every look takes a second, so that times depend on nothing but the code."""

    def __init__(self):
        self.ticks = itertools.count()

    def monotonic(self):
        return float(next(self.ticks))


def test_the_time_left_shrinks_to_nothing_at_the_last_epochs_end(case, monkeypatch):
    monkeypatch.setattr(fit, "time", Clock())
    told = []
    pretrain(case.graph, case.with_params(patience=99), told.append)
    assert told[-1].seconds_left == 0
    assert all(p.seconds_left > 0 for p in told if (p.epoch, p.step) != (p.epochs, p.steps))


def test_the_time_left_is_that_of_the_rate_so_far_also_after_a_resume(case, tmp_path, monkeypatch):
    params = case.with_params(patience=99)
    told, seconds = [], []

    class Every:
        """Passes on every report, and notes how long the training has taken at each."""

        ready = True

        def __init__(self, _):
            pass

        def __call__(self, progress, *, last=False):
            told.append(progress)

    monkeypatch.setattr("hier_dag.train.pretrain.Throttle", Every)
    real = fit.Fit._tell

    def noted(self, loss):
        real(self, loss)
        seconds.append(sum(r.seconds for r in self.place.curve) + self._seconds)

    monkeypatch.setattr(fit.Fit, "_tell", noted)
    stops = itertools.chain([False] * 6, [True])
    with pytest.raises(Interrupted):
        pretrain(
            case.graph, params, checkpoints=Checkpoints(tmp_path, "key"), stop=lambda: next(stops, False)
        )
    before, spent = len(told), seconds[-1]
    pretrain(case.graph, params, checkpoints=Checkpoints(tmp_path, "key"))
    after = told[before]
    done = (after.epoch - 1) * after.steps + after.step
    assert done == 8
    assert seconds[7] > spent  # what the first process spent counts
    whole = seconds[7] * params.epochs * after.steps / done
    assert after.seconds_left == pytest.approx(whole - seconds[7], rel=0.05)
