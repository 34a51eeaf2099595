"""The training worker: `python -m hier_dag.worker JOB.json`, in a process, container or machine of its own.

The job says what to do and where the outcome goes. Progress is told through Dagster Pipes where Dagster
started the worker, else as JSON lines on standard output. Exit codes: 0 done, 1 refused, 143 stopped as
asked after saving a checkpoint. It needs torch, dgl, numpy, scipy, pyarrow, safetensors and threadpoolctl;
dagster_pipes, which is without dependencies, under Dagster alone.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hier_dag.durable import replace_file
from hier_dag.errors import Crashed, HierError, Interrupted, UsageError
from hier_dag.progress import Step, listening
from hier_dag.train.allocator import keep_what_steps_reuse
from hier_dag.train.interrupt import stop_on_signals
from hier_dag.train.turn import wait_for_turn

if TYPE_CHECKING:
    from hier_dag.train.ranks import Ranks

PRETRAIN, FINETUNE = "pretrain", "finetune"
DONE, REFUSED, STOPPED = 0, 1, 128 + signal.SIGTERM
_PIPES = "DAGSTER_PIPES_CONTEXT"
_LAUNCHER = "HIER_LAUNCHER"  # process id of the launcher, for its ranks
_PARENT_DEATH = 1  # PR_SET_PDEATHSIG of prctl(2)

Tell = Callable[[Step], None]


def main(arguments: list[str]) -> int:
    """Does the job that a file describes, and writes the outcome where the file says; gives the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m hier_dag.worker JOB.json\n")
        return 2
    order = json.loads(Path(arguments[0]).read_bytes())
    _end_with_parent(order.get("parent"))
    keep_what_steps_reuse()
    outcome = Path(order["outcome"])
    if "RANK" not in os.environ:
        outcome.unlink(missing_ok=True)  # of an earlier run of the same order
    ranks = int(order.get("processes", 1))
    try:
        if ranks > 1 and order["work"] == PRETRAIN and "RANK" not in os.environ:
            from hier_dag.train.launch import launch

            with stop_on_signals() as stop:
                _wait_for_turn(order, lambda step: print(step.text, file=sys.stderr, flush=True), stop)
            os.environ[_LAUNCHER] = str(os.getpid())
            launch(ranks, "-m", "hier_dag.worker", arguments[0])
            return DONE  # the first rank wrote the outcome
        facts = _as_rank(order)
        if facts is None:
            return DONE
    except HierError as error:
        sys.stderr.write(f"{error}\n")
        # What a rank said tells more than what its launcher saw of it.
        if not outcome.exists():
            replace_file(outcome, json.dumps({"error": error.as_dict()}).encode())
        return STOPPED if isinstance(error, Interrupted) else REFUSED
    except Exception as error:  # whoever started this process would otherwise learn nothing of it
        traceback.print_exc()
        # Ranks whose peer was killed crash too; their launcher knows which one was first.
        if "RANK" not in os.environ:
            told = Crashed(f"{type(error).__name__}: {error}", fix="see the worker's log for where it was")
            replace_file(outcome, json.dumps({"error": told.as_dict()}).encode())
        return REFUSED
    replace_file(outcome, json.dumps({"facts": facts}).encode())
    return DONE


def _as_rank(order: dict[str, Any]) -> dict[str, Any] | None:
    """Does the job alone, or as one of the ranks that the launcher started."""
    # A transfer takes seconds and saves nothing: a signal ends it as any process.
    with stop_on_signals() if order["work"] == PRETRAIN else nullcontext() as stop:
        if "RANK" not in os.environ:
            with _telling() as tell, listening(tell):
                return work(order, tell, stop)
        from hier_dag.train.ranks import joined

        with (
            joined(order["job"]["params"]["device"]) as ranks,
            _telling() if ranks.first else nullcontext(_nobody) as tell,
            listening(tell),
        ):
            return work(order, tell, stop, ranks)


def _nobody(_: Step) -> None:
    """Hears nothing: the first rank tells for all."""


def work(
    order: dict[str, Any],
    tell: Tell,
    stop: Callable[[], bool] | None = None,
    ranks: Ranks | None = None,
) -> dict[str, Any] | None:
    """Does a job in this process.

    Args:
        order: `work`, one of `pretrain` and `finetune`, and `job`, as its `as_json` gives it.
        tell: told how far it has come.
        stop: asked whether to save and stop; a transfer, which takes seconds, is not stopped.
        ranks: the processes that pre-train together; None for this one alone.

    Returns:
        The facts of the job; None on every rank but the first.

    Raises:
        HierError: as the job does.
    """
    # Only what is asked for is imported: the other half may need more than there is.
    if order["work"] == PRETRAIN:
        from hier_dag.train.job import PretrainJob, run_pretraining
        from hier_dag.train.progress import as_step
        from hier_dag.train.ranks import ALONE

        job = PretrainJob.from_json(order["job"])
        if ranks is None:
            _wait_for_turn(order, tell, stop)
        return run_pretraining(job, lambda p: tell(as_step(p)), stop, ranks or ALONE)
    if order["work"] == FINETUNE:
        from hier_dag.transfer.job import TransferJob, run_transfer

        to = TransferJob.from_json(order["job"])
        title = f"finetune/model[{to.domain}]"
        return run_transfer(to, lambda what, done, total: tell(Step(title, what, done, total)))
    raise UsageError(
        f"a worker does not know the work {order['work']!r}", fix=f"ask for {PRETRAIN} or {FINETUNE}"
    )


def _wait_for_turn(order: dict[str, Any], tell: Tell, stop: Callable[[], bool] | None) -> None:
    """Waits for a process that does the same pre-training; ranks leave that to their launcher."""
    saving = order["job"]["saving"]
    if saving is not None:
        where, every = Path(saving["folder"]), float(saving["every"])
        wait_for_turn(where, every, lambda text: tell(Step("pretrain/encoder", text, 0, 0)), stop)


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
    if not sys.platform.startswith("linux"):
        return
    if "RANK" in os.environ:  # a rank goes with its launcher
        parent = int(os.environ[_LAUNCHER]) if _LAUNCHER in os.environ else None
    if parent is None:
        return
    ctypes.CDLL(None).prctl(_PARENT_DEATH, signal.SIGTERM)
    if os.getppid() != parent:  # it died before it could be asked for
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
