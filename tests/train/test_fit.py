"""Training that is cut anywhere, by whatever, ends as if it had not been."""

import os
import signal

import pytest
import torch

from hier_dag.errors import Interrupted, NotFinite, TrainingError
from hier_dag.train.checkpoint import Checkpoints
from hier_dag.train.fit import Fit
from hier_dag.train.interrupt import stop_on_signals
from hier_dag.train.pretrain import pretrain
from hier_dag.train.update import Updater


def weights(pretrained):
    return {name: tensor.numpy().tobytes() for name, tensor in pretrained.model.state_dict().items()}


def figures(pretrained):
    return [
        (r.epoch, r.loss, list(r.terms.items()), r.ndcg, r.hr, r.open_paths, r.monitors)
        for r in pretrained.curve
    ]


def assert_same(one, other):
    assert figures(one) == figures(other)
    assert one.best_epoch == other.best_epoch
    assert weights(one) == weights(other)
    assert one.encoding.users.tobytes() == other.encoding.users.tobytes()
    assert [(u.user.tobytes(), u.item.tobytes()) for u in one.used] == [
        (u.user.tobytes(), u.item.tobytes()) for u in other.used
    ]


def after(steps):
    """Says stop once, when it has been asked so many times."""
    left = iter([False] * (steps - 1) + [True])
    return lambda: next(left, False)


def cut_at(case, folder, cuts, params):
    """Trains with a stop after so many steps each time, and then to the end."""
    for steps in cuts:
        checkpoints = Checkpoints(folder, "key", every=3600)
        with pytest.raises(Interrupted, match="it goes on from there"):
            pretrain(case.graph, params, checkpoints=checkpoints, stop=after(steps))
        checkpoints.close()
    checkpoints = Checkpoints(folder, "key", every=3600)
    done = pretrain(case.graph, params, checkpoints=checkpoints)
    checkpoints.close()
    return done


@pytest.mark.parametrize("cuts", [[1], [4], [6], [3, 1, 9], [5, 4, 4]], ids=str)
def test_a_cut_training_is_the_same_to_the_bit(case, pretrained, tmp_path, cuts):
    assert_same(cut_at(case, tmp_path / "t", cuts, case.params), pretrained)


def test_checkpoints_change_nothing(case, pretrained, tmp_path):
    checkpoints = Checkpoints(tmp_path / "t", "key", every=0)
    assert_same(pretrain(case.graph, case.params, checkpoints=checkpoints), pretrained)
    assert len(list(checkpoints.folder.glob("step-*"))) in (2, 3)


def test_a_finished_training_is_not_trained_again(case, pretrained, tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path / "t", "key")
    pretrain(case.graph, case.params, checkpoints=checkpoints)
    monkeypatch.setattr(Updater, "__call__", lambda *_: pytest.fail("a step was trained"))
    assert_same(pretrain(case.graph, case.params, checkpoints=checkpoints), pretrained)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "literal"},
        {"graph": "sampled", "neighbour_fanout": 2, "history_fanout": 2},
        {"graph": "sampled", "neighbour_fanout": 2, "history_fanout": 2, "rank_loss": "bpr"},
    ],
    ids=str,
)
def test_other_trainings_resume_exactly_too(case, tmp_path, changes):
    params = case.with_params(epochs=2, **changes)
    assert_same(cut_at(case, tmp_path / "t", [3, 5], params), pretrain(case.graph, params))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_ends_in_order(case, pretrained, tmp_path, monkeypatch, number):
    real, calls, before = Updater.__call__, [], signal.getsignal(number)

    def step(self, *arguments):
        calls.append(1)
        if len(calls) == 4:
            os.kill(os.getpid(), number)
        return real(self, *arguments)

    monkeypatch.setattr(Updater, "__call__", step)
    checkpoints = Checkpoints(tmp_path / "t", "key", every=3600)
    with stop_on_signals() as stop, pytest.raises(Interrupted):
        pretrain(case.graph, case.params, checkpoints=checkpoints, stop=stop)
    assert signal.getsignal(number) == before
    assert len(calls) == 4
    assert_same(pretrain(case.graph, case.params, checkpoints=checkpoints), pretrained)


def poisoned(monkeypatch, at, times=1):
    """NaN enters the loss of some step, as often as it is tried."""
    real, left = Fit._epoch, [times]
    losses = []

    def train(self):
        model = self.model
        if not losses:
            losses.append(model.losses)

            def broken(batch, shard):
                terms = losses[0](batch, shard)
                if self._steps_done == at and left[0]:
                    left[0] -= 1
                    terms["rank"] = terms["rank"] * torch.nan
                return terms

            model.losses = broken
        return real(self)

    monkeypatch.setattr(Fit, "_epoch", train)


@pytest.mark.parametrize("at", [0, 1, 4, 9])
def test_a_passing_fault_is_rolled_back_and_leaves_no_trace(case, pretrained, tmp_path, monkeypatch, at):
    poisoned(monkeypatch, at)
    checkpoints = Checkpoints(tmp_path / "t", "key", every=0)
    assert_same(pretrain(case.graph, case.params, checkpoints=checkpoints), pretrained)


def test_a_lasting_fault_is_named_and_what_was_good_stays(case, tmp_path, monkeypatch):
    poisoned(monkeypatch, 4, times=99)
    checkpoints = Checkpoints(tmp_path / "t", "key", every=0)
    with pytest.raises(NotFinite, match=r"the loss is not finite at epoch \d+, step \d+ \(terms: rank\)"):
        pretrain(case.graph, case.params, checkpoints=checkpoints)
    left = checkpoints.latest()
    assert all(torch.isfinite(t).all() for name, t in left.tensors.items() if name.startswith("model/"))


def test_without_a_checkpoint_a_fault_ends_the_training(case, monkeypatch):
    poisoned(monkeypatch, 4)
    with pytest.raises(TrainingError, match="not finite"):
        pretrain(case.graph, case.params)


def test_a_gradient_that_is_not_finite_updates_nothing(case, monkeypatch):
    model_before = {}

    class Explodes(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return grad * torch.inf

    def train(self):
        model_before.update({n: t.clone() for n, t in self.model.state_dict().items()})
        real = self.model.losses
        self.model.losses = lambda b, s: {n: Explodes.apply(t) for n, t in real(b, s).items()}
        try:
            self.update(self.pairs.batch(self.pairs.order(), 1), 1, 1)
        finally:
            now = self.model.state_dict()
            assert all(torch.equal(now[name], before) for name, before in model_before.items())

    monkeypatch.setattr(Fit, "run", train)
    with pytest.raises(NotFinite, match="the gradient is not finite at epoch 1, step 1"):
        pretrain(case.graph, case.params)
