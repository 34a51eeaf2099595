"""Starts the ranks of one training on this machine and waits for them."""

from __future__ import annotations

import logging
import signal
import sys
import uuid

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from hier_dag.errors import Interrupted, RankLost
from hier_dag.train.interrupt import SAVING_TAKES


def launch(processes: int, *arguments: str) -> None:
    """Runs `python arguments…` once a rank, as torchrun does, and waits until all are done.

    Args:
        processes: how many ranks.
        arguments: of the interpreter.

    Raises:
        RankLost: naming the rank that ended first and how; the others were told to stop.
        Interrupted: this process was told to stop, and told the ranks.
    """
    logging.getLogger("torch.distributed").setLevel(logging.ERROR)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        max_restarts=0,  # a retry of the whole goes on from the checkpoint
        shutdown_timeout=SAVING_TAKES,
    )
    try:
        elastic_launch(config, sys.executable)(*arguments)
    except SignalException as error:
        raise Interrupted(
            f"stopped as asked ({signal.Signals(error.sigval).name}); the ranks were told to save and stop",
            fix="run it again: it goes on from the last checkpoint",
        ) from error
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        how = f"was killed ({failure.signal_name()})" if failure.exitcode < 0 else "ended with an error"
        raise RankLost(
            f"rank {rank} of {processes} {how} (exit code {failure.exitcode}); the others were stopped",
            fix="look at the machine's memory and log; a retry, or the next run, goes on from the last "
            "checkpoint",
            detail={"rank": rank, "exit_code": failure.exitcode},
        ) from error
