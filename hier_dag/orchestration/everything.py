"""The job `everything`: the whole pipeline as one press of a button.

Domains and targets are partitioned differently, which one Dagster asset job cannot hold; so this job's one
op walks the steps that `hier run` walks and launches a run for each.
"""

import dagster as dg


@dg.op(description="Runs every stage for every domain and target; what is there already is skipped.")
def run_everything(context: dg.OpExecutionContext) -> None:
    """Runs the pipeline on the instance that this run belongs to."""
    from hier_dag.config import load_config
    from hier_dag.definitions import build_definitions
    from hier_dag.home import domains_file, home_of
    from hier_dag.orchestration.runner import CANCELLED, FAILED, run, steps
    from hier_dag.pipeline.policy import policy_of
    from hier_dag.pipeline.workshop import Workshop
    from hier_dag.registry import Registry
    from hier_dag.registry.patience import RUN, patience
    from hier_dag.store import ArtifactStore

    config = load_config(domains_file())
    at = home_of(config.platform)
    registry = Registry(at.registry_url, patience(RUN), platform=at.platform)
    workshop = Workshop(ArtifactStore(at.store), registry)
    failed = []
    dag = build_definitions(config, at)
    policy = policy_of(config, at.root)
    for done in run(lambda: (dag, context.instance), steps(config, workshop), workshop, policy):
        context.log.info(f"{done.step.title}: {done.outcome} in {done.seconds:.1f} s {done.message or ''}")
        if done.outcome == CANCELLED:
            raise dg.DagsterExecutionInterruptedError(done.message)
        if done.outcome == FAILED:
            failed.append(f"{done.step.title}: {done.message}")
    if failed:
        raise dg.Failure("; ".join(failed), allow_retries=False)


@dg.job(name="everything", description="Every stage for every domain and target, as `hier run` does.")
def everything() -> None:
    """Runs the whole pipeline."""
    run_everything()
