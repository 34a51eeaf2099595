"""Training on a CUDA device: the losses of the CPU at first, and a checkpoint that goes on to the bit."""

from dataclasses import replace

import pytest
import torch

from hier_dag.errors import Interrupted
from hier_dag.train.checkpoint import Checkpoints
from hier_dag.train.pretrain import pretrain

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "recommended"},
        {"model": "literal"},
        {"graph": "sampled", "history_fanout": 3},
        {"precision": "bfloat16"},
    ],
    ids=str,
)
def test_the_first_epoch_is_that_of_the_cpu(case, changes):
    params = case.with_params(epochs=1, content_paths=False, **changes)
    one, other = (pretrain(case.graph, replace(params, device=device)) for device in ("cpu", "cuda"))
    rounding = 2e-2 if "precision" in changes else 1e-4
    assert other.curve[0].loss == pytest.approx(one.curve[0].loss, rel=rounding)


@pytest.mark.parametrize("graph", ["full", "sampled"])
def test_a_stopped_training_goes_on_on_the_device(case, tmp_path, graph):
    params = case.with_params(device="cuda", graph=graph)
    checkpoints = Checkpoints(tmp_path / "t", "key")
    left = iter([False] * 5 + [True])
    with pytest.raises(Interrupted):
        pretrain(case.graph, params, checkpoints=checkpoints, stop=lambda: next(left))
    resumed = pretrain(case.graph, params, checkpoints=checkpoints)
    whole = pretrain(case.graph, params)
    assert [r.loss for r in resumed.curve] == [r.loss for r in whole.curve]
