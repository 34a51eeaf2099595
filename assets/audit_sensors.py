"""Sensors of the audit: what went live gets its bundle of evidence."""

import contextlib

import dagster as dg

from assets.audit_bundle import bundle_file
from assets.jobs import BUNDLE_TARGET
from hier_dag.config import PlatformConfig
from hier_dag.home import Home
from resources import ArtifactStoreResource, RegistryResource

_SECONDS = 60


def bundle_what_is_live(config: PlatformConfig) -> dg.SensorDefinition:
    """Asks for the bundle of every version in force that has none yet: new ones and those gone back to.

    It looks at the registry, not at materialisations: a roll-back is none, and of several targets that were
    published between two looks Dagster would tell the last.
    """

    @dg.sensor(
        name="bundle_what_is_live",
        job_name=BUNDLE_TARGET,
        minimum_interval_seconds=_SECONDS,
        description="Gathers the evidence about every version that went live, by publication or roll-back.",
    )
    def sense(
        context: dg.SensorEvaluationContext, store: ArtifactStoreResource, registry: RegistryResource
    ) -> dg.SensorResult | dg.SkipReason:
        from hier_dag.registry.aliases import LIVE

        home = Home(store.live_folder.parent)
        with contextlib.closing(registry.open()) as opened:
            live = [row for row in opened.all_aliases() if row.alias == LIVE]
        lacking = [
            row
            for row in live
            if row.domain in config.target_names and not bundle_file(home, row.domain, row.version).exists()
        ]
        if not lacking:
            return dg.SkipReason("Every version in force has its bundle.")
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(run_key=f"{row.domain}:{row.version}", partition_key=row.domain)
                for row in lacking
            ]
        )

    return sense
