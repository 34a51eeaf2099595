"""One artifact built again in a scratch folder, and its certificate."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hier_dag.digest import digest_of
from hier_dag.environment import code_commit, environment, environment_digest
from hier_dag.errors import ContractError, UsageError
from hier_dag.pipeline.stages import CODE_VERSIONS, ENCODER, EVENTS, LINKS, MODEL, REFUSED, STUDY
from hier_dag.registry import ArtifactRow, Registry
from hier_dag.reproduce.bench import Bench, recorded_request
from hier_dag.reproduce.certificate import (
    DIFFERENT,
    HELD,
    IDENTICAL,
    SAME_FILES,
    SAME_VALUES,
    WITHIN,
    Certificate,
    Surrounding,
)
from hier_dag.reproduce.classes import (
    DEVICE,
    ENVIRONMENT,
    GIVEN,
    PARENTS,
    THREADS,
    TOLERANCE,
    VALUES,
    Promise,
    is_given,
    promise_of,
)
from hier_dag.reproduce.compare import differences, differing_files
from hier_dag.reproduce.figures import figures_of
from hier_dag.reproduce.recipes import RECIPES
from hier_dag.store import Artifact, Manifest


@dataclass(frozen=True)
class Again:
    """An artifact that was built again.

    Attributes:
        artifact: what came out, in the scratch store.
        certificate: what it is to the recorded one.
    """

    artifact: Artifact
    certificate: Certificate


def rebuild(
    recorded: Artifact,
    registry: Registry,
    bench: Bench,
    *,
    engine_threads: int,
    deep: bool = False,
    parents: Iterable[str] = (),
) -> Again:
    """Builds an artifact again and compares it with what is stored. Nothing is written but on the bench.

    Args:
        recorded: the artifact, its files checked against its digest.
        registry: what is on record of it; only read.
        bench: where it is built.
        engine_threads: worker threads of the data engine.
        deep: whether its parents on the bench were built again.
        parents: verdicts of those.

    Raises:
        HierError: as the build does; a raw file is missing or has changed.
    """
    began, manifest = time.perf_counter(), recorded.manifest
    kind, given = manifest.kind, is_given(manifest)
    made = recorded if given else _made(recorded, bench)
    seconds = time.perf_counter() - began
    row = registry.artifact(recorded.digest)
    then = _then(manifest, registry.environment(manifest.environment), row)
    now = _now(made.manifest, engine_threads)
    conditions = _conditions(kind, then, now, manifest, made.manifest, [*parents])
    promise = Promise(GIVEN) if given else promise_of(kind, conditions)
    differing = differing_files(manifest, made.manifest)
    first = next(differences(recorded, made), None)
    figures = figures_of(kind, recorded.path, made.path) if differing else None
    if given:
        verdict = HELD
    elif not differing and first is None:
        verdict = SAME_FILES if ENVIRONMENT in conditions else IDENTICAL
    elif first is None and promise.level == VALUES:
        verdict = SAME_VALUES
    else:
        # No bound excuses what does not follow from the vectors; that is told before what does.
        other = next(differences(recorded, made, bounded=True), None) if promise.level == TOLERANCE else first
        verdict = WITHIN if other is None and promise.holds(figures) else DIFFERENT
        first = other or first
    certificate = Certificate(
        digest=recorded.digest,
        kind=kind,
        partition=manifest.partition,
        verdict=verdict,
        rebuilt=made.digest,
        conditions=tuple(conditions),
        promise=promise,
        files=len(manifest.files),
        differing=tuple(differing),
        difference=first,
        figures=figures,
        distributions=_distributions(registry.environment(manifest.environment)),
        then=then,
        now=now,
        deep=deep,
        seconds=round(seconds, 3),
    )
    return Again(made, certificate)


def refuse_other_code(manifest: Manifest, row: ArtifactRow | None) -> None:
    """Refuses an artifact that another version of its stage's code made.

    Raises:
        UsageError: no way to build artifacts of its kind again is known.
        ContractError: the code is another one; the message names the commit that made it.
    """
    if is_given(manifest):
        return
    if manifest.kind not in RECIPES:
        raise UsageError(
            f"artifacts of kind {manifest.kind} are not built again.",
            fix=f"kinds that are: {', '.join(RECIPES)}",
        )
    running = _running_version(manifest)
    if running in (None, manifest.code_version):
        return
    commit = "an unknown commit" if row is None else row.code_commit
    raise ContractError(
        f"{manifest.kind} was made by code version {manifest.code_version} of its stage, at commit {commit}; "
        f"version {running} is running.",
        domain=manifest.partition,
        fix=f"git checkout {commit.removesuffix('-dirty')}, with its requirements.lock, and run this again; "
        "--anyway builds it with the running code",
    )


def _running_version(manifest: Manifest) -> str | None:
    """Code version of the stage that makes such artifacts now; None for those that people give."""
    kind = manifest.kind
    if kind == REFUSED:
        kind = EVENTS if str(manifest.summary.get("refused", "")).startswith(EVENTS) else LINKS
    return CODE_VERSIONS[STUDY] if kind.startswith(f"{STUDY}/") else CODE_VERSIONS.get(kind)


def _made(recorded: Artifact, bench: Bench) -> Artifact:
    manifest = recorded.manifest
    request, store = recorded_request(manifest), bench.workshop.store
    with store.stage(manifest.kind) as staged:
        built = RECIPES[manifest.kind](recorded, request, staged, bench)
        refused = manifest.kind == REFUSED
        again = Manifest(
            kind=manifest.kind,
            partition=manifest.partition,
            request_key=digest_of({"refused": _refused_key(manifest)}) if refused else request.key,
            code_version=manifest.code_version,
            params=manifest.params,
            seeds=manifest.seeds,
            parents=manifest.parents,
            inputs=manifest.inputs,
            # As recorded, so that digests compare what came out; the certificate names both environments.
            environment=manifest.environment,
            tables=built.tables,
            summary=built.summary,
        )
        return store.commit(staged, again, built.known)


def _refused_key(manifest: Manifest) -> str:
    """Key of the request that a contract refused: of the events or links that it asked for."""
    title = str(manifest.summary["refused"])
    kind = EVENTS if title.startswith(EVENTS) else LINKS
    return recorded_request(manifest.model_copy(update={"kind": kind})).key


def _then(manifest: Manifest, facts: Mapping[str, Any] | None, row: ArtifactRow | None) -> Surrounding:
    known = facts or {}
    return Surrounding(
        environment=manifest.environment,
        python=str(known.get("python", "")),
        machine=str(known.get("machine", "")),
        device=str(manifest.summary.get("device", "")),
        threads=manifest.summary.get("threads"),
        commit="" if row is None else row.code_commit,
    )


def _now(manifest: Manifest, engine_threads: int) -> Surrounding:
    here = environment()
    return Surrounding(
        environment=environment_digest(),
        python=here["python"],
        machine=here["machine"],
        device=str(manifest.summary.get("device", "")),
        threads=manifest.summary.get("threads", engine_threads),
        commit=code_commit(),
    )


def _conditions(
    kind: str, then: Surrounding, now: Surrounding, recorded: Manifest, made: Manifest, parents: list[str]
) -> list[str]:
    trained = kind in (ENCODER, MODEL)
    ranks = [m.summary.get("processes", 1) for m in (recorded, made)]
    holds = {
        THREADS: trained and then.threads != now.threads,
        ENVIRONMENT: then.environment != now.environment,
        DEVICE: kind == ENCODER and (then.device != now.device or ranks[0] != ranks[1]),
        PARENTS: any(verdict in (WITHIN, DIFFERENT) for verdict in parents),
    }
    return [name for name, there in holds.items() if there]


def _distributions(then: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """Distributions, and what else an environment says, that only one of the two has."""
    if then is None:
        return {"recorded": [], "now": []}
    one, two = (_said(facts) for facts in (then, environment()))
    return {"recorded": sorted(one - two), "now": sorted(two - one)}


def _said(facts: Mapping[str, Any]) -> set[str]:
    return {*facts.get("distributions", ())} | {f"{k} {v}" for k, v in facts.items() if isinstance(v, str)}
