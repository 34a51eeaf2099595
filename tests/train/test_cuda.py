"""Training on a CUDA device: the same losses as on CPU at first, and a checkpoint that goes on there."""

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
    assert other.curve[0].loss == pytest.approx(one.curve[0].loss, rel=2e-2)


@pytest.mark.parametrize("graph", ["full", "sampled"])
def test_a_stopped_training_goes_on_on_the_device(case, tmp_path, graph):
    params = case.with_params(device="cuda", graph=graph)
    checkpoints = Checkpoints(tmp_path / "t", "key")
    left = iter([False] * 5 + [True])
    with pytest.raises(Interrupted):
        pretrain(case.graph, params, checkpoints=checkpoints, stop=lambda: next(left))
    resumed = pretrain(case.graph, params, checkpoints=checkpoints)
    whole = pretrain(case.graph, params)
    # The sparse product adds in no fixed order on CUDA.
    assert [r.loss for r in resumed.curve] == pytest.approx([r.loss for r in whole.curve], rel=1e-2)
