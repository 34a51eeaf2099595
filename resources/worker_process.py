"""A worker of its own through Dagster Pipes, process or pod: the job as a file, progress as messages."""

import contextvars
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from hier_dag.config.trainer import PodParams
from hier_dag.errors import ConfigError, error_of
from hier_dag.progress import Step, tell
from hier_dag.worker import PRETRAIN
from resources.cancelled import cancelled
from resources.pod import pod_spec
from resources.process_tree import kill_tree

_RETRIED = ("interrupted", "rank_lost", "crashed", "busy")  # the data are not to blame
_RESUME = "Fix: run it again: it goes on from the last checkpoint"
_AGAIN = "Fix: run it again"
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


@dataclass(frozen=True)
class Order:
    """What a worker is to do.

    Attributes:
        work: `pretrain` or `finetune`.
        job: the job as its `as_json` gives it.
        processes: ranks that pre-train together.
    """

    work: str
    job: dict[str, Any]
    processes: int = 1


class _Unsaved(Exception):
    """A worker that was told to stop did not, and was killed."""


def run_in_worker(context: dg.AssetExecutionContext, order: Order, *, grace: float) -> dict[str, Any]:
    """Does a job in a worker process on this machine and waits for it.

    Args:
        context: of the asset whose step this is.
        order: what to do.
        grace: seconds that a worker whose step is cancelled may take to save; it is killed then.

    Returns:
        The job's facts.

    Raises:
        HierError: what the worker refused with.
        dagster.Failure: the worker died without a word, to be retried; or the step was cancelled.
    """

    def run(file: Path) -> None:
        injector = dg.PipesTempFileContextInjector()
        with dg.open_pipes_session(context, injector, ProgressReader()) as session:
            worker = subprocess.Popen(
                [sys.executable, "-m", "hier_dag.worker", str(file)],
                env={**os.environ, **session.get_bootstrap_env_vars()},
                # A terminal's Ctrl-C goes to all its processes: the worker hears it from the step alone.
                start_new_session=True,
            )
            try:
                code = worker.wait()
            except BaseException:
                _stop(worker, grace)
                raise
        if code:
            raise RuntimeError(f"exit code {code}")

    with tempfile.TemporaryDirectory() as folder:
        return _carried_out(order, Path(folder), run, parent=os.getpid())


def _stop(worker: "subprocess.Popen[bytes]", grace: float) -> None:
    """Has a worker save and end; one that takes too long, or whose step is cancelled once more, is killed.

    Raises:
        _Unsaved: it was killed.
    """
    worker.terminate()
    try:
        worker.wait(grace)
    except subprocess.TimeoutExpired:
        kill_tree(worker.pid)
        worker.wait()
        raise _Unsaved(f"the worker did not finish saving in {grace:g} s and was killed") from None
    except dg.DagsterExecutionInterruptedError:
        kill_tree(worker.pid)
        worker.wait()
        raise _Unsaved("the worker was killed before it had saved, as asked a second time") from None


def run_in_pod(
    context: dg.AssetExecutionContext, order: Order, pod: PodParams, shared: Path
) -> dict[str, Any]:
    """Does a job in a pod of its own and waits for it.

    Args:
        context: of the asset whose step this is.
        order: what to do; its folders lie on the pod's volume.
        pod: where the worker runs.
        shared: a folder on the volume for the order and its outcome.

    Returns:
        The job's facts.

    Raises:
        ConfigError: the volume does not hold the state, or dagster-k8s is not installed.
        HierError: what the worker refused with.
        dagster.Failure: the pod died without a word, to be retried; or the step was cancelled.
    """
    if not shared.is_relative_to(pod.mount):
        raise ConfigError(
            f"a pod would not see HIER_HOME: {shared} is not below trainer.pod.mount {pod.mount}.",
            column="trainer.pod.mount",
            fix="mount the volume at the same path in Dagster's pods, and set HIER_HOME to a folder on it",
        )
    try:
        from dagster_k8s import PipesK8sClient
        from dagster_k8s.pipes import PipesK8sPodLogsMessageReader
    except ImportError:
        raise ConfigError(
            "trainer.mode k8s needs dagster-k8s.", column="trainer.mode", fix="pip install -e '.[k8s]'"
        ) from None

    class Reader(PipesK8sPodLogsMessageReader):  # type: ignore[misc]
        @contextmanager
        def read_messages(self, handler: Any) -> Iterator[Any]:
            with super().read_messages(_Telling(handler)) as params:  # type: ignore[arg-type]
                yield params

    def run(file: Path) -> None:
        PipesK8sClient(message_reader=Reader()).run(
            context=context, namespace=pod.namespace, base_pod_spec=pod_spec(pod, str(file))
        )

    shared.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        return _carried_out(order, Path(folder), run)


def _carried_out(
    order: Order, folder: Path, run: Callable[[Path], None], parent: int | None = None
) -> dict[str, Any]:
    """Writes an order into a folder, has it carried out, and reads what came of it."""
    file, outcome = folder / "job.json", folder / "outcome.json"
    file.write_text(json.dumps(asdict(order) | {"outcome": str(outcome), "parent": parent}))
    try:
        run(file)
    except (dg.DagsterExecutionInterruptedError, KeyboardInterrupt) as error:
        raise cancelled(_left_by(order.work, outcome)) from error
    except _Unsaved as error:
        raise cancelled(f"{error}; the last checkpoint stays. {_RESUME}") from error
    except Exception as error:  # the class of a pod that failed is not among Dagster's public names
        if not outcome.is_file():
            raise _died(order.work, error) from error
    return _facts(json.loads(outcome.read_bytes()))


def _facts(outcome: dict[str, Any]) -> dict[str, Any]:
    if "error" not in outcome:
        return dict(outcome["facts"])
    error = error_of(outcome["error"])
    if error.code in _RETRIED:
        raise dg.Failure(str(error))
    raise error


def _left_by(work: str, outcome: Path) -> str:
    """What a worker that was told to stop said when it ended."""
    said = json.loads(outcome.read_bytes()) if outcome.is_file() else {}
    if "error" in said:
        return str(error_of(said["error"]))
    return f"the worker was told to stop. {_RESUME if work == PRETRAIN else _AGAIN}"


def _died(work: str, error: Exception) -> dg.Failure:
    return dg.Failure(
        f"the worker that was to {work} died without a word ({error}): killed, or out of memory. Fix: look "
        "at the machine's memory and log; a retry, or the next run, goes on from the last checkpoint"
    )
