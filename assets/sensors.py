"""Sensors: new or changed raw files refresh their domain; a new encoder refreshes every target."""

import json

import dagster as dg

from assets.jobs import PUBLISH_TARGET, REFRESH_DOMAIN
from assets.keys import ENCODER_KEY
from hier_dag.config import PlatformConfig

_SECONDS = 60


def new_files(config: PlatformConfig) -> dg.SensorDefinition:
    """Watches names, sizes and times of every declared file; contents are hashed by ingest alone."""

    @dg.sensor(
        name="new_files",
        job_name=REFRESH_DOMAIN,
        minimum_interval_seconds=_SECONDS,
        description="Refreshes a domain when a raw file of its is new or has changed; links refresh all.",
    )
    def sense(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from hier_dag.ingest.watch import LINKS, file_states

        before = json.loads(context.cursor) if context.cursor else None
        now = file_states(config)
        if before is None:
            note = dg.SkipReason("First look: what lies there now is the starting point.")
            return dg.SensorResult(skip_reason=note, cursor=json.dumps(now))
        changed = [d for d, state in now.items() if state and state != before.get(d)]
        if not changed:
            return dg.SensorResult(
                skip_reason=dg.SkipReason("No raw file has changed."), cursor=json.dumps(now)
            )
        # Links belong to no domain: one run over any partition reads them and rebuilds what is below.
        first = next(iter(config.domains))
        runs = [(d, d) for d in changed if d != LINKS] or [(first, LINKS)]
        return dg.SensorResult(
            run_requests=[dg.RunRequest(run_key=f"{d}:{now[d]}", partition_key=p) for p, d in runs],
            cursor=json.dumps(now),
        )

    return sense


def publish_after_pretraining(config: PlatformConfig) -> dg.SensorDefinition:
    """Asks for one run a target whenever the encoder is materialised; what is there already is reused."""

    @dg.asset_sensor(
        asset_key=ENCODER_KEY,
        name="publish_after_pretraining",
        job_name=PUBLISH_TARGET,
        minimum_interval_seconds=_SECONDS,
        description="Transfers a new encoder to every target and publishes the result.",
    )
    def sense(context: dg.SensorEvaluationContext, event: dg.EventLogEntry) -> dg.SensorResult:
        # By run, not by digest: an encoder that comes back (A, B, A) must be published again.
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(run_key=f"{event.run_id}:{target}", partition_key=target)
                for target in config.target_names
            ]
        )

    return sense
