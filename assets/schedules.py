"""Schedules: one per domain that declares a `refresh` cron, and the audit's where one is declared."""

from collections.abc import Iterator

import dagster as dg

from assets.jobs import AUDIT_PLATFORM, REFRESH_DOMAIN
from hier_dag.config import PlatformConfig


def domain_schedules(config: PlatformConfig) -> list[dg.ScheduleDefinition]:
    """A schedule for every domain with a cron; each tick asks for one run of that domain's partition."""
    return [_schedule(name, d.refresh) for name, d in config.domains.items() if d.refresh is not None]


def _schedule(domain: str, cron: str) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"refresh_{domain}",
        job_name=REFRESH_DOMAIN,
        cron_schedule=cron,
        execution_timezone="UTC",
        description=f"Refresh of {domain}, as its cron in domains.yaml says.",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        # The run key makes a tick that is evaluated twice launch one run.
        moment = context.scheduled_execution_time
        yield dg.RunRequest(run_key=f"{moment:%Y-%m-%dT%H:%M}:{domain}", partition_key=domain)

    return tick


def audit_schedules(config: PlatformConfig) -> list[dg.ScheduleDefinition]:
    """The schedule of the audit, where `audit.schedule` declares one."""
    if config.audit.schedule is None:
        return []

    @dg.schedule(
        name=AUDIT_PLATFORM,
        job_name=AUDIT_PLATFORM,
        cron_schedule=config.audit.schedule,
        execution_timezone="UTC",
        description="Verification and lineage report, as `audit.schedule` in domains.yaml says.",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=f"{context.scheduled_execution_time:%Y-%m-%dT%H:%M}")

    return [tick]
