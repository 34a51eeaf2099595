"""A worker process of its own through Dagster Pipes: the job as a file, progress as messages."""

import contextvars
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from hier_dag.errors import error_of
from hier_dag.progress import Step, tell

_SAVING_TAKES = 60  # seconds that a worker that was told to stop may take to save
_RETRIED = ("interrupted", "rank_lost")  # the data are not to blame
_CUSTOM = "report_custom_message"


class _Telling:
    """Passes a worker's progress on to whoever listens; every other message is Dagster's."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler
        # The reader is a thread of its own, in which nobody listens.
        self._context = contextvars.copy_context()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler, name)

    def handle_message(self, message: dict[str, Any]) -> None:
        payload = (message.get("params") or {}).get("payload")
        if message.get("method") == _CUSTOM and isinstance(payload, dict) and "progress" in payload:
            self._context.run(tell, Step(**payload["progress"]))
        else:
            self._handler.handle_message(message)


class ProgressReader(dg.PipesTempFileMessageReader):
    """Reads a worker's messages while it runs, its progress among them."""

    @contextmanager
    def read_messages(self, handler: Any) -> Iterator[Any]:
        """As Dagster's own does."""
        with super().read_messages(_Telling(handler)) as params:  # type: ignore[arg-type]
            yield params


def run_in_worker(
    context: dg.AssetExecutionContext, work: str, job: dict[str, Any], processes: int = 1
) -> dict[str, Any]:
    """Does a job in a worker process and waits for it.

    Args:
        context: of the asset whose step this is.
        work: `pretrain` or `finetune`.
        job: the job as its `as_json` gives it.
        processes: ranks that pre-train together.

    Returns:
        The job's facts.

    Raises:
        HierError: what the worker refused with.
        dagster.Failure: the worker died without a word; to be retried.
    """
    with tempfile.TemporaryDirectory() as folder:
        order, outcome = Path(folder, "job.json"), Path(folder, "outcome.json")
        record = {"work": work, "job": job, "outcome": str(outcome), "parent": os.getpid()}
        order.write_text(json.dumps(record | {"processes": processes}))
        client = dg.PipesSubprocessClient(
            message_reader=ProgressReader(), termination_timeout_seconds=_SAVING_TAKES
        )
        try:
            client.run(context=context, command=[sys.executable, "-m", "hier_dag.worker", str(order)])
        except Exception as error:  # the class of a process that failed is not among Dagster's public names
            if not outcome.is_file():
                raise _died(work, error) from error
        return _facts(json.loads(outcome.read_bytes()))


def _facts(outcome: dict[str, Any]) -> dict[str, Any]:
    if "error" not in outcome:
        return dict(outcome["facts"])
    error = error_of(outcome["error"])
    if error.code in _RETRIED:
        raise dg.Failure(str(error))
    raise error


def _died(work: str, error: Exception) -> dg.Failure:
    return dg.Failure(
        f"the worker that was to {work} died without a word ({error}): killed, or out of memory. Fix: look "
        "at the machine's memory and log; a retry, or the next run, goes on from the last checkpoint"
    )
