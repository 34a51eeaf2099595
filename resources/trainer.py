"""The trainer: where pre-training and transfer run, and where their checkpoints are."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from hier_dag.config.trainer import PodParams
from hier_dag.errors import Busy, Interrupted
from hier_dag.progress import tell
from hier_dag.train.interrupt import SAVING_TAKES, stop_on_signals
from hier_dag.train.lock import removed
from hier_dag.train.unfinished import remove_unfinished
from hier_dag.worker import FINETUNE, PRETRAIN, work
from resources.cancelled import cancelled
from resources.worker_process import Order, run_in_pod, run_in_worker

if TYPE_CHECKING:
    from hier_dag.train.job import PretrainJob, Saving
    from hier_dag.transfer.job import TransferJob


class Trainer(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Trains in the step's own process (`inline`) or in a worker process (`subprocess`).

    Attributes:
        checkpoints: folder of the checkpoints, one folder a training below it.
        mode: `subprocess`, `inline`, `torchrun` or `k8s`.
        processes: ranks that pre-train together, under `torchrun` and `k8s`.
        checkpoint_seconds: seconds between checkpoints.
        keep_checkpoints: how many of the newest stay.
        keep_unfinished_days: that checkpoints stay of a training that was given up.
        tensorboard: whether pre-training writes its curves, one folder a training in `tensorboard` beside
            the checkpoints. Nobody but its reader removes them.
        shard_tables: whether ranks share the rows of the tables.
        pod: the pod of `k8s`, as declared under `trainer.pod`.
        saving_seconds: that a worker whose step is cancelled may take to save; a bit more than it gives its
            own ranks.
    """

    checkpoints: str
    mode: str = "subprocess"
    processes: int = 1
    checkpoint_seconds: float = 60.0
    keep_checkpoints: int = 2
    keep_unfinished_days: float = 14.0
    tensorboard: bool = False
    shard_tables: bool = False
    pod: dict[str, Any] | None = None
    saving_seconds: float = SAVING_TAKES + 15.0

    def saving(self, key: str) -> "Saving":
        """Where a training is saved, and its curves are where they are asked for.

        Args:
            key: names it: what it depends on is in the key, so that nothing else is ever resumed.
        """
        from hier_dag.train.job import Saving

        return Saving(
            folder=Path(self.checkpoints, key),
            key=key,
            every=self.checkpoint_seconds,
            keep=self.keep_checkpoints,
            curves=Path(self.checkpoints).with_name("tensorboard") / key if self.tensorboard else None,
        )

    def pretrain(self, context: dg.AssetExecutionContext, job: "PretrainJob") -> dict[str, Any]:
        """Pre-trains an encoder; gives the facts of `run_pretraining`.

        What trainings that were given up have left behind is removed first.
        """
        key = "" if job.saving is None else job.saving.key
        for name in remove_unfinished(Path(self.checkpoints), self.keep_unfinished_days, keep=key):
            context.log.info(
                f"removed the checkpoints of training {name}: not finished, and nothing saved for "
                f"{self.keep_unfinished_days:g} days (trainer.keep_unfinished_days)"
            )
        return self._do(context, PRETRAIN, replace(job, shard_tables=self.shard_tables).as_json())

    def finetune(self, context: dg.AssetExecutionContext, job: "TransferJob") -> dict[str, Any]:
        """Transfers an encoder to a target; gives the facts of `run_transfer`."""
        return self._do(context, FINETUNE, job.as_json())

    def forget(self, key: str) -> None:
        """Removes the checkpoints of a training whose result is committed, unless a process is at it.

        That one finds the result, too, and removes them in its turn.
        """
        removed(Path(self.checkpoints, key))

    def _do(self, context: dg.AssetExecutionContext, what: str, job: dict[str, Any]) -> dict[str, Any]:
        if self.mode == "inline":
            return _inline({"work": what, "job": job})
        order = Order(what, job, self.processes)
        if self.pod is not None:
            pod = PodParams.model_validate(self.pod)
            return run_in_pod(context, order, pod, Path(self.checkpoints).parent / "jobs")
        return run_in_worker(context, order, grace=self.saving_seconds)


def _inline(order: dict[str, Any]) -> dict[str, Any]:
    """Does a job in this process; a transfer, which takes seconds, ends without saving when it is told to."""
    if order["work"] != PRETRAIN:
        return dict(work(order, tell) or {})
    with stop_on_signals() as stop:
        try:
            return dict(work(order, tell, stop) or {})
        except Interrupted as error:
            raise cancelled(str(error)) from error
        except Busy as error:  # to be retried
            raise dg.Failure(str(error)) from error
