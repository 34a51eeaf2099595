"""An artifact built again, alone or with everything that it was made of."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from hier_dag.errors import StoreError
from hier_dag.ingest.connection import connect
from hier_dag.pipeline.stages import MODEL
from hier_dag.pipeline.workshop import Workshop
from hier_dag.registry import Registry
from hier_dag.reproduce.bench import Bench
from hier_dag.reproduce.certificate import Certificate
from hier_dag.reproduce.classes import CELLS, PLATFORMS, is_given
from hier_dag.reproduce.declared import RawPlace
from hier_dag.reproduce.parents import Parents
from hier_dag.reproduce.rebuild import rebuild, refuse_other_code
from hier_dag.store import Artifact, ArtifactStore, Manifest
from hier_dag.study.files import CELL
from hier_dag.study.platforms import reports_of

_ENGINE_THREADS = 2
Started = Callable[[Manifest], None]


def reproduce(
    store: ArtifactStore,
    registry: Registry,
    kind: str,
    digest: str,
    scratch: Path,
    *,
    raw: RawPlace | None = None,
    deep: bool = False,
    anyway: bool = False,
    threads: int | None = None,
    device: str | None = None,
    started: Started = lambda _: None,
) -> Iterator[Certificate]:
    """Builds an artifact again and compares; store, registry and what is live are only read.

    Args:
        store: of the platform.
        registry: of the platform.
        kind: kind of the artifact.
        digest: its digest.
        scratch: folder that a folder of work is made in, and removed from.
        raw: where raw files lie.
        deep: builds everything that it was made of, too, from raw files on; what is above comes from there.
        anyway: builds what another version of the code made, with the running one.
        threads: of the data engine, of training and of transfer; None takes as many as then.
        device: that training runs on; None takes the one of then where it is here.
        started: told the manifest of what is built next.

    Yields:
        Certificates, ancestors first; the last one is the artifact's own.

    Raises:
        ContractError: another version of the code made it, or something that it was made of.
        StoreError: it is not in the store, or not whole.
        SourceError: a raw file is missing or has changed.
    """
    order = [store.open(kind, digest)]
    if deep:
        order = _lineage(store, registry, order[0])
    if not anyway:
        for artifact in order:
            refuse_other_code(artifact.manifest, registry.artifact(artifact.digest))
    scratch.mkdir(parents=True, exist_ok=True)
    made: dict[str, Artifact] = {}
    verdicts: dict[str, str] = {}
    engine_threads = threads or _ENGINE_THREADS
    with (
        tempfile.TemporaryDirectory(dir=scratch, prefix="reproduce-") as name,
        closing(Registry(f"sqlite:///{name}/registry.db")) as nothing,
    ):
        folder = Path(name)
        bench = Bench(
            workshop=Workshop(Parents(folder / "store", made, None if deep else store), nothing),
            connect=partial(connect, folder, threads=engine_threads),
            raw=raw or RawPlace(),
            threads=threads,
            device=device,
        )
        for artifact in order:
            started(artifact.manifest)
            above = [verdicts[d] for d in artifact.manifest.parents.values() if d in verdicts]
            again = rebuild(
                artifact, registry, bench, engine_threads=engine_threads, deep=deep, parents=above
            )
            made[artifact.digest] = again.artifact
            verdicts[artifact.digest] = again.certificate.verdict
            yield again.certificate


def _lineage(store: ArtifactStore, registry: Registry, artifact: Artifact) -> list[Artifact]:
    """An artifact and all that it was made of, parents before children."""
    order: dict[str, Artifact] = {}

    def visit(one: Artifact) -> None:
        for digest in _above(one, store):
            if digest not in order:
                visit(_open(store, registry, digest))
        order[one.digest] = one

    visit(artifact)
    return [*order.values()]


def _above(artifact: Artifact, store: ArtifactStore) -> list[str]:
    """Digests of what an artifact was made of, as far as this platform made it."""
    if is_given(artifact.manifest):
        return []
    if (
        artifact.manifest.kind == PLATFORMS
    ):  # models are no parents of it: another platform may have made them
        return [d for d in reports_of(artifact.manifest.params) if store.has(MODEL, d)]
    # The work that cells share is looked up by its request while a cell is made: no parent of it.
    shared = [artifact.json(CELL)["result"]] if artifact.manifest.kind in CELLS else []
    return [*artifact.manifest.parents.values(), *shared]


def _open(store: ArtifactStore, registry: Registry, digest: str) -> Artifact:
    row = registry.artifact(digest)
    if row is None:
        raise StoreError(f"{digest[:12]} is not on record", fix="give the registry that recorded it")
    if not store.has(row.kind, digest):
        raise StoreError(
            f"{row.kind} {digest[:12]}, which it was made of, is stored no more: it was collected, or an "
            "erasure removed it.",
            domain=row.partition,
            fix="leave out --deep, or bring it back from a backup of the store",
        )
    return store.open(row.kind, digest)
