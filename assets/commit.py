"""Write, audit, publish inside an asset: the only pattern that also protects a backfill.

A blocking check gates its own run alone: in a backfill the bad materialisation is recorded first and
everything below is built. So the body audits what it staged, shows the failed checks, and raises before
anything is recorded.
"""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from assets.metadata import describe, plain
from assets.recorded import recorded
from hier_dag.errors import HierError, RegistryError
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.workshop import Built, Outcome, Refused, Workshop
from hier_dag.registry import CheckRow
from hier_dag.store.failures import StorageError
from resources import ArtifactStoreResource, RegistryResource
from resources.cancelled import cancelled

Reported = Iterator[dg.AssetCheckResult | dg.MaterializeResult]  # type: ignore[type-arg]


def nothing_more(*_: object) -> dict[str, Any]:
    """No metadata beyond what every stage shows."""
    return {}


def write_audit_publish(
    context: dg.AssetExecutionContext,
    store: ArtifactStoreResource,
    registry: RegistryResource,
    request: Callable[[Workshop], Request],
    build: Callable[[Workshop, Request, Path], Built],
    *,
    show: Callable[[Workshop, Outcome], dict[str, Any]] = nothing_more,
) -> Reported:
    """Answers a stage's request and reports it to Dagster.

    Args:
        context: of the asset.
        store: where artifacts live.
        registry: where they are recorded.
        request: makes the request; may refuse (a missing file, a missing parent).
        build: writes the artifact's files into a staged folder.
        show: runs once the artifact is committed; gives metadata that only this stage has.

    Yields:
        Check results, then the materialisation with the artifact's digest as data version.

    Raises:
        dagster.Failure: when a contract refuses; not to be retried, since the data must change first.
            Also when the registry cannot be used, or a disk or a place of copies refuses: no check has failed
            then, and a retry may help; and when the run is cancelled, which a retry policy would take for a
            fault.
    """
    try:
        with contextlib.closing(registry.open()) as opened:
            workshop = Workshop(store.open(), opened)
            try:
                outcome = workshop.make(
                    request(workshop), partial(build, workshop), run_id=context.run.run_id
                )
                more = show(workshop, outcome)
                told, for_programs = recorded(opened, outcome)
            except (RegistryError, StorageError):
                raise
            except HierError as error:
                failed = _failed_checks(context, workshop, error)
                yield from _results(context, failed, dg.AssetCheckSeverity.ERROR)
                raise dg.Failure(str(error), metadata=plain(error.as_dict()), allow_retries=False) from error
    except (RegistryError, StorageError) as error:
        raise dg.Failure(str(error), metadata=plain(error.as_dict())) from error
    except (dg.DagsterExecutionInterruptedError, KeyboardInterrupt) as error:
        raise cancelled("the step was stopped. Fix: run it again: what is done is kept") from error
    # What failed although the artifact was committed is declared to inform, not to block.
    yield from _results(context, outcome.checks, dg.AssetCheckSeverity.WARN)
    yield dg.MaterializeResult(
        asset_key=context.asset_key,
        metadata={
            "digest": outcome.artifact.digest,
            **told,
            **more,
            **describe(outcome),
            **for_programs,
        },
        data_version=dg.DataVersion(outcome.artifact.digest),
    )


def _failed_checks(context: dg.AssetExecutionContext, workshop: Workshop, error: HierError) -> list[CheckRow]:
    if isinstance(error, Refused):
        return error.checks
    partition = context.partition_key if context.has_partition_key else None
    return workshop.note_failure("/".join(context.asset_key.path), partition, error, context.run.run_id)


def _results(
    context: dg.AssetExecutionContext, checks: list[CheckRow], severity: dg.AssetCheckSeverity
) -> Iterator[dg.AssetCheckResult]:
    # A check of an older code version may be recorded with a reused artifact: only declared ones are shown.
    declared = {spec.name for spec in context.assets_def.check_specs}
    newest = {check.name: check for check in checks}  # a gate that refused once may let pass by now
    for check in newest.values():
        if check.name in declared:
            yield dg.AssetCheckResult(
                asset_key=context.asset_key,
                check_name=check.name,
                passed=check.passed,
                severity=severity,
                metadata=plain(check.facts),
            )
