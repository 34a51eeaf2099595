"""Runs the whole pipeline through Dagster, stage by stage, skipping what is there already.

Each step is a Dagster run on the given instance, executed in this process: it shows in the UI like any other,
and importing torch once serves them all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import dagster as dg

from hier_dag.config import PlatformConfig
from hier_dag.errors import HierError
from hier_dag.names import title_of
from hier_dag.pipeline import requests
from hier_dag.pipeline.policy import Policy
from hier_dag.pipeline.publication import is_in_force
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import CORRECTIONS, ENCODER, EVENTS, GRAPH, LINKS, MODEL, PUBLISHED, REFUSED
from hier_dag.pipeline.workshop import Workshop
from resources.cancelled import was_cancelled

MADE, REUSED, FAILED, BLOCKED, CANCELLED = "made", "reused", "failed", "blocked", "cancelled"
_INTERRUPTS = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")  # as Dagster records them


@dataclass(frozen=True)
class Step:
    """One Dagster run: some assets, one partition.

    Attributes:
        kinds: artifact kinds, in order.
        partition: domain, or None.
        requests: makes the request of each kind, once everything above is there.
    """

    kinds: tuple[str, ...]
    partition: str | None
    requests: tuple[Callable[[], Request], ...]

    @property
    def title(self) -> str:
        """How a person calls it."""
        names = " + ".join(self.kinds)
        return title_of(names, self.partition)


@dataclass(frozen=True)
class Done:
    """How a step ended: made, reused, failed, blocked by one above, or cancelled; with run and reason."""

    step: Step
    outcome: str
    seconds: float
    run_id: str | None = None
    message: str | None = None


def steps(config: PlatformConfig, workshop: Workshop, only: Sequence[str] | None = None) -> list[list[Step]]:
    """The pipeline's steps in waves: every step of a wave needs all waves before it.

    Args:
        config: the platform.
        workshop: where artifacts are looked up.
        only: publish these targets alone; None publishes all.
    """
    registry = workshop.registry
    targets = [t for t in config.target_names if only is None or t in only]

    def events(domain: str) -> Step:
        def request() -> Request:
            corrections = registry.latest(CORRECTIONS, domain)
            return requests.events_request(config, domain, corrections)

        return Step((EVENTS,), domain, (request,))

    def target(domain: str) -> Step:
        return Step(
            (MODEL, PUBLISHED),
            domain,
            (
                lambda: requests.model_request(config, registry, domain),
                lambda: requests.published_request(config, registry, domain),
            ),
        )

    return [
        [
            *(events(d) for d in config.domains),
            Step((LINKS,), None, (lambda: requests.links_request(config),)),
        ],
        [Step((GRAPH,), None, (lambda: requests.graph_request(config, registry),))],
        [Step((ENCODER,), None, (lambda: requests.encoder_request(config, registry),))],
        [target(t) for t in targets],
    ]


def run(
    dagster: Callable[[], tuple[dg.Definitions, dg.DagsterInstance]],
    waves: list[list[Step]],
    workshop: Workshop,
    policy: Policy,
    *,
    started: Callable[[Step], None] = lambda _: None,
) -> Iterator[Done]:
    """Runs waves in order; a failure blocks every later wave and nothing beside it.

    SIGINT or SIGTERM to this process cancels the step at hand, in order; nothing is run after it.

    Args:
        dagster: gives the DAG and the instance that runs are recorded in; asked for once, when needed.
        waves: from `steps`.
        workshop: where artifacts are looked up.
        policy: how and where sets go live.
        started: told before a step runs.

    Yields:
        How each step ended.
    """
    once = cache(dagster)
    blocked_by: str | None = None
    for wave in waves:
        failed: str | None = None
        for step in wave:
            if blocked_by is not None:
                yield Done(step, BLOCKED, 0.0, message=f"{blocked_by} failed")
                continue
            started(step)
            done = _run_step(once, step, workshop, policy)
            failed = failed or (step.title if done.outcome == FAILED else None)
            yield done
            if done.outcome == CANCELLED:
                return
        blocked_by = blocked_by or failed


def _run_step(
    dagster: Callable[[], tuple[dg.Definitions, dg.DagsterInstance]],
    step: Step,
    workshop: Workshop,
    policy: Policy,
) -> Done:
    began = time.perf_counter()
    if _is_current(step, workshop, policy):
        _supersede_refusal(step, workshop)
        return Done(step, REUSED, time.perf_counter() - began)
    definitions, instance = dagster()
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=instance,
        partition_key=step.partition,
        asset_selection=[dg.AssetKey(kind.split("/")) for kind in step.kinds],
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        tags={"hier/step": step.title},
    )
    seconds = time.perf_counter() - began
    if result.success:
        return Done(step, MADE, seconds, result.run_id)
    if _interrupted(result):
        # Dagster takes an interrupt that no one announced on the instance for a failure.
        run = instance.get_run_by_id(result.run_id)
        if run is not None:
            instance.report_run_canceled(run, "cancelled by a signal to the process that ran it")
        return Done(step, CANCELLED, seconds, result.run_id, _reason(result))
    return Done(step, FAILED, seconds, result.run_id, _reason(result))


def _is_current(step: Step, workshop: Workshop, policy: Policy) -> bool:
    """Whether every artifact is there, whole, the newest of its partition and, where published, in force."""
    for kind, request in zip(step.kinds, step.requests, strict=True):
        try:
            found = workshop.find(request())
        except HierError:
            return False  # the run will fail and say why, in the UI too
        if found is None or workshop.registry.latest(kind, step.partition) != found.digest:
            return False
        try:
            if kind == PUBLISHED and not is_in_force(workshop, policy, found):
                return False
        except HierError:
            return False  # a place or a sink cannot be asked: the run says so
    return True


def _supersede_refusal(step: Step, workshop: Workshop) -> None:
    """Asks for a raw artifact once more where its newest request was refused: the logs are mended again."""
    kind, registry = step.kinds[0], workshop.registry
    refused = registry.latest(REFUSED, step.partition)
    digest = registry.latest(kind, step.partition)
    if kind not in (EVENTS, LINKS) or refused is None or digest is None:
        return
    if registry.asked_at(refused) > registry.asked_at(digest):
        registry.record(workshop.open(kind, digest), [], run_id="", seconds=0.0)


def _interrupted(result: dg.ExecuteInProcessResult) -> bool:
    """Whether a run ended because this process was told to stop, wherever it stood."""
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if was_cancelled(data.user_failure_data):
                return True
            error = data.error
        elif event.is_run_failure:
            error = event.job_failure_data.error
        else:
            continue
        if error is not None and error.cls_name in _INTERRUPTS:
            return True
    return False


def _reason(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data is not None and data.user_failure_data.description:
                return str(data.user_failure_data.description)
            if data.error is not None:
                return str(data.error.cause.message if data.error.cause else data.error.message).strip()
    return "the run failed; its log in the UI says why"
