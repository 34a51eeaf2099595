"""Sensor of erasures: what has learnt from somebody who was erased is made anew."""

import contextlib

import dagster as dg

from assets.jobs import EVERYTHING
from assets.refusal import refusals
from hier_dag.home import Home
from resources import ArtifactStoreResource, RegistryResource

_SECONDS = 300


@dg.sensor(
    name="retrain_after_erasures",
    job_name=EVERYTHING,
    minimum_interval_seconds=_SECONDS,
    description="Runs the pipeline once after erasures, so that nothing newest holds or has learnt from "
    "anybody who was erased. `hier forget --finish` then removes what was made anew.",
)
def retrain_after_erasures(
    context: dg.SensorEvaluationContext, store: ArtifactStoreResource, registry: RegistryResource
) -> dg.RunRequest | dg.SkipReason:
    """Asks for one run an erasure, the newest of several; a run that fails is not asked for again."""
    from hier_dag.erasure.erased import erasures
    from hier_dag.erasure.status import stale_because_of_erasures

    with refusals(), contextlib.closing(registry.open()) as opened:
        recorded = erasures(opened)
        root = Home(store.live_folder.parent).root
        stale = stale_because_of_erasures(opened, store.open(), root) if recorded else []
    if not stale:
        return dg.SkipReason("Nothing that is newest holds or has learnt from anybody who was erased.")
    return dg.RunRequest(run_key=f"erasure:{recorded[0].event}", tags={"hier/stale": str(len(stale))})
