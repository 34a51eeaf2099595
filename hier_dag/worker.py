"""The training worker: `python -m hier_dag.worker JOB.json`, in a process, container or machine of its own.

The job says what to do and where the outcome goes. Progress is told through Dagster Pipes where Dagster
started the worker, else as JSON lines on standard output. Exit codes: 0 done, 1 refused, 143 stopped as
asked after saving a checkpoint. It needs torch, dgl, numpy, scipy, pyarrow and safetensors; dagster_pipes,
which is without dependencies, under Dagster alone.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hier_dag.durable import replace_file
from hier_dag.errors import HierError, UsageError
from hier_dag.progress import Step
from hier_dag.train.interrupt import Interrupted, stop_on_signals

PRETRAIN, FINETUNE = "pretrain", "finetune"
DONE, REFUSED, STOPPED = 0, 1, 128 + signal.SIGTERM
_PIPES = "DAGSTER_PIPES_CONTEXT"
_PARENT_DEATH = 1  # PR_SET_PDEATHSIG of prctl(2)

Tell = Callable[[Step], None]


def main(arguments: list[str]) -> int:
    """Does the job that a file describes, and writes the outcome where the file says; gives the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m hier_dag.worker JOB.json\n")
        return 2
    order = json.loads(Path(arguments[0]).read_bytes())
    _end_with_parent(order.get("parent"))
    outcome = Path(order["outcome"])
    try:
        with stop_on_signals() as stop, _telling() as tell:
            facts = work(order, tell, stop)
    except HierError as error:
        replace_file(outcome, json.dumps({"error": error.as_dict()}).encode())
        sys.stderr.write(f"{error}\n")
        return STOPPED if isinstance(error, Interrupted) else REFUSED
    replace_file(outcome, json.dumps({"facts": facts}).encode())
    return DONE


def work(order: dict[str, Any], tell: Tell, stop: Callable[[], bool] | None = None) -> dict[str, Any]:
    """Does a job in this process.

    Args:
        order: `work`, one of `pretrain` and `finetune`, and `job`, as its `as_json` gives it.
        tell: told how far it has come.
        stop: asked whether to save and stop; a transfer, which takes seconds, is not stopped.

    Returns:
        The facts of the job.

    Raises:
        HierError: as the job does.
    """
    # Only what is asked for is imported: the other half may need more than there is.
    if order["work"] == PRETRAIN:
        from hier_dag.train.job import PretrainJob, run_pretraining
        from hier_dag.train.progress import as_step

        return run_pretraining(PretrainJob.from_json(order["job"]), lambda p: tell(as_step(p)), stop)
    if order["work"] == FINETUNE:
        from hier_dag.transfer.job import TransferJob, run_transfer

        job = TransferJob.from_json(order["job"])
        return run_transfer(
            job, lambda what, done, total: tell(Step(f"finetune/model[{job.domain}]", what, done, total))
        )
    raise UsageError(
        f"a worker does not know the work {order['work']!r}", fix=f"ask for {PRETRAIN} or {FINETUNE}"
    )


@contextmanager
def _telling() -> Iterator[Tell]:
    """Where progress goes: to Dagster, else to standard output."""
    if _PIPES not in os.environ:
        yield lambda step: print(json.dumps({"progress": asdict(step)}), flush=True)
        return
    from dagster_pipes import open_dagster_pipes

    with open_dagster_pipes() as pipes:
        yield lambda step: pipes.report_custom_message({"progress": asdict(step)})


def _end_with_parent(parent: int | None) -> None:
    """Has the kernel ask this process to stop when the one that started it dies, where it can (Linux)."""
    if parent is None or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PARENT_DEATH, signal.SIGTERM)
    if os.getppid() != parent:  # it died before it could be asked for
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
