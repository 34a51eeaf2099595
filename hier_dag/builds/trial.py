"""Every contract on the data that lies there now, without training and without committing anything.

Stages up to the graph are made in a store and a registry that are thrown away; what was accepted before is
there to compare with and to reuse.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hier_dag.builds.events import Connect, build_events
from hier_dag.builds.expectations import judge_again
from hier_dag.builds.graph import build_graph
from hier_dag.builds.links import build_links
from hier_dag.config import PlatformConfig
from hier_dag.erasure.guard import Guard
from hier_dag.errors import HierError
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.requests import events_request, graph_request, links_request
from hier_dag.pipeline.stages import CORRECTIONS, EVENTS, GRAPH, LINKS
from hier_dag.pipeline.workshop import Build, Outcome, Refused, Workshop
from hier_dag.registry import CheckRow, Registry
from hier_dag.store import Artifact, ArtifactStore
from hier_dag.store.failures import StorageError
from schemas.expectations.verdict import BLOCKING

HELD, WARNED, REFUSED, BLOCKED = "held", "warned", "refused", "blocked"


@dataclass(frozen=True)
class Checked:
    """One check of one stage.

    Attributes:
        stage: such as `raw/events[food]`.
        check: name of the check; `contract` is the stage as a whole.
        outcome: held, warned, refused, or blocked by a stage above.
        facts: what the check found, JSON-serialisable.
        message: what is wrong, in words; empty where it held.
        fix: what to do about it.
    """

    stage: str
    check: str
    outcome: str
    facts: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    fix: str = ""


class _Above(ArtifactStore):
    """A store of its own that also opens what another holds."""

    def __init__(self, root: Path, below: ArtifactStore) -> None:
        super().__init__(root)
        self._below = below

    def open(self, kind: str, digest: str, *, verify: bool = True) -> Artifact:
        own = self.has(kind, digest)
        return (
            super().open(kind, digest, verify=verify)
            if own
            else self._below.open(kind, digest, verify=verify)
        )


def try_everything(
    config: PlatformConfig,
    accepted: Workshop,
    folder: Path,
    connect: Connect,
    started: Callable[[str], None] = lambda _: None,
) -> Iterator[Checked]:
    """Runs every contract on the platform's data.

    Args:
        config: the platform.
        accepted: what has been accepted so far; only read.
        folder: an empty folder for the work; the caller removes it.
        connect: opens the data engine.
        started: told the stage that is checked next.

    Yields:
        The checks of each stage, the stage as a whole first.
    """
    with throwaway(config, accepted, folder) as workshop:
        sound = True
        for stage, request, build in _stages(config, workshop, connect):
            started(stage)
            checks = list(_check(config, workshop, stage, request, build)) if sound or stage != GRAPH else []
            sound = sound and not any(c.outcome == REFUSED for c in checks)
            yield from checks or [Checked(stage, "contract", BLOCKED, message="a stage above was refused")]


def try_raw(
    config: PlatformConfig, workshop: Workshop, domain: str | None, connect: Connect
) -> list[Checked]:
    """The checks of one domain's events, or of the links where `domain` is None.

    Args:
        config: the platform.
        workshop: from `throwaway`.
        domain: the domain.
        connect: opens the data engine.
    """
    wanted = LINKS if domain is None else f"{EVENTS}[{domain}]"
    stages = _stages(config, workshop, connect)
    stage, request, build = next(s for s in stages if s[0] == wanted)
    return list(_check(config, workshop, stage, request, build))


@contextlib.contextmanager
def throwaway(config: PlatformConfig, accepted: Workshop, folder: Path) -> Iterator[Workshop]:
    """A workshop whose store and registry lie in `folder`, and that knows what has been accepted."""
    store = _Above(folder / "store", accepted.store)
    with contextlib.closing(Registry(f"sqlite:///{folder / 'registry.db'}")) as registry:
        _carry_over(config, accepted, registry)
        home = accepted.store.root.parent
        yield Workshop(store, registry, Guard(store, registry, home, accepted.registry))


def _carry_over(config: PlatformConfig, accepted: Workshop, registry: Registry) -> None:
    """Makes the newest accepted artifacts known: drift is against them, unchanged logs are reused."""
    wanted: list[tuple[str, str | None]] = [(LINKS, None), (GRAPH, None)]
    wanted += [(kind, domain) for kind in (CORRECTIONS, EVENTS) for domain in config.domains]
    for kind, partition in wanted:
        digest = accepted.registry.latest(kind, partition)
        with contextlib.suppress(HierError):  # what is damaged is made anew
            if digest is not None:
                checks = accepted.registry.checks(digest)
                registry.record(accepted.open(kind, digest), checks, run_id="", seconds=0.0)


def _stages(
    config: PlatformConfig, workshop: Workshop, connect: Connect
) -> Iterator[tuple[str, Callable[[], Request], Build]]:
    for domain in config.domains:
        corrections = workshop.registry.latest(CORRECTIONS, domain)
        yield (
            f"{EVENTS}[{domain}]",
            lambda d=domain, c=corrections: events_request(config, d, c),  # type: ignore[misc]
            lambda r, staged, d=domain: build_events(config, d, r, staged, workshop, connect),  # type: ignore[misc]
        )
    yield (
        LINKS,
        lambda: links_request(config),
        lambda r, staged: build_links(config, r, staged, connect, workshop.erasures.erased()),
    )
    yield (
        GRAPH,
        lambda: graph_request(config, workshop.registry),
        lambda r, staged: build_graph(config, r, staged, workshop, connect),
    )


def _check(
    config: PlatformConfig, workshop: Workshop, stage: str, request: Callable[[], Request], build: Build
) -> Iterator[Checked]:
    try:
        outcome = workshop.make(request(), build, run_id="check")
        checks = _today(config, outcome)
    except StorageError:
        raise  # no data is at fault
    except HierError as error:
        where = ", ".join(f"{k} {v}" for k in ("file", "column") if (v := getattr(error, k)))
        message = f"{where}: {error.message}" if where else error.message
        yield Checked(stage, "contract", REFUSED, error.detail, message, error.fix or "")
        failed = error.checks if isinstance(error, Refused) else []
        yield from (_told(stage, c, REFUSED) for c in failed if c.name != "contract")
        return
    told = [_told(stage, c, REFUSED if c.name == BLOCKING else WARNED) for c in checks]
    refused = next((c for c in told if c.outcome == REFUSED), None)
    facts = {"reused": outcome.reused, **_rows(outcome)}
    if refused is None:
        yield Checked(stage, "contract", HELD, facts)
    else:
        message = f"accepted earlier, but not by today's bounds: {refused.message}"
        yield Checked(stage, "contract", REFUSED, facts, message, refused.fix)
    yield from told


def _today(config: PlatformConfig, outcome: Outcome) -> list[CheckRow]:
    """The checks of a stage that was answered, the stage as a whole apart.

    Bounds are no part of a request: events that are reused may have been accepted under others.
    """
    checks = {c.name: c for c in _newest(outcome.checks) if c.name != "contract"}
    if outcome.reused and outcome.artifact.manifest.kind == EVENTS:
        verdict = judge_again(config, outcome.artifact)
        checks |= {} if verdict is None else {c.name: c for c in verdict.checks}
    return list(checks.values())


def _rows(outcome: Outcome) -> dict[str, Any]:
    summary = outcome.artifact.manifest.summary
    keys = (
        "rows_in",
        "rows_out",
        "quarantined",
        "deduplicated",
        "erased",
        "users",
        "items",
        "entities",
        "interacts_edges",
    )
    return {k: summary[k] for k in keys if k in summary}


def _newest(checks: list[CheckRow]) -> list[CheckRow]:
    """The last result of each check: a reused artifact may have been asked for many times."""
    return list({c.name: c for c in checks}.values())


def _told(stage: str, check: CheckRow, failed: str) -> Checked:
    if check.passed:
        return Checked(stage, check.name, HELD, check.facts)
    said = check.facts.get("message") or ", ".join(f"{k} = {v}" for k, v in check.facts.items())
    return Checked(stage, check.name, failed, check.facts, str(said), str(check.facts.get("fix", "")))
