"""Write, audit, publish: the one way in which an artifact comes to be."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hier_dag.conservation import LEDGER
from hier_dag.digest import digest_of
from hier_dag.environment import environment_digest
from hier_dag.erasure.guard import Guard
from hier_dag.errors import ContractError, HierError, RegistryError, StoreError
from hier_dag.pipeline.note import Note
from hier_dag.pipeline.outbox import Pending, pending
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.take_up import STAYS, take_up
from hier_dag.registry import CheckRow, Registry
from hier_dag.store import Artifact, ArtifactStore, FileEntry, Manifest
from hier_dag.store.failures import StorageError, disk_told, reading


@dataclass(frozen=True)
class Built:
    """What a stage wrote into its staged folder.

    Attributes:
        tables: columns of each table, by file.
        summary: counts and figures for the manifest.
        checks: results of the stage's contract; one that failed keeps the artifact from being committed
            unless its name is in `advisory`.
        advisory: names of checks that inform without blocking.
        remedies: what to do when a check fails, by its name.
        known: name, digest and size of files, as their writer took them down.
    """

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    checks: list[CheckRow] = field(default_factory=list)
    advisory: frozenset[str] = frozenset()
    remedies: dict[str, str] = field(default_factory=dict)
    known: tuple[FileEntry, ...] = ()


_log = logging.getLogger(__name__)
QUARANTINE = "quarantine"
_LOOK = "see the failed check's facts; nothing was committed and what is live stays live"
Build = Callable[[Request, Path], Built]
"""Writes the files that a request asks for into a staged folder."""


@dataclass(frozen=True)
class Outcome:
    """An artifact, the checks it passed, and whether it was there already."""

    artifact: Artifact
    checks: list[CheckRow]
    reused: bool


class Refused(ContractError):
    """A contract refused an artifact; its checks are recorded and nothing was committed."""

    code = "contract"

    def __init__(self, message: str, *, checks: list[CheckRow] | None = None, **about: Any) -> None:
        super().__init__(message, **about)
        self.checks = checks or []


class Workshop:
    """Makes artifacts in a store and records them in a registry.

    To open one puts on record what ended processes could not (`hier_dag.pipeline.outbox`); what keeps a
    note from that is logged.
    """

    def __init__(self, store: ArtifactStore, registry: Registry, erasures: Guard | None = None) -> None:
        self.store = store
        self.registry = registry
        self.erasures = erasures or Guard(store, registry)
        with suppress(RegistryError):  # whoever needs it hears of it; the notes stay
            self._take_up()

    def _take_up(self) -> None:
        try:
            kept = [taken.why for taken in take_up(self.store, self.registry) if taken.outcome == STAYS]
        except StorageError as error:
            kept = [str(error)]
        for why in kept:
            _log.warning("a note of an artifact on no record is not taken up: %s", why)

    def find(self, request: Request) -> Artifact | None:
        """The artifact that answered an equal request, if it is registered, whole and still holds.

        Rows quarantined as `future_time` become valid as time goes by: `holds_from` and `holds_until` in the
        summary (ISO 8601) say between which times of a build the artifact would come out the same.

        Raises:
            StorageError: the disk or its rights keep it from being read; whether it is whole is not known.
        """
        digest = self.registry.find(request.key)
        if digest is None:
            return None
        with reading(self.store.path_of(request.kind, digest)):
            try:
                there = self.store.open(request.kind, digest)
            except StorageError:
                raise
            except StoreError:
                return None
            # What holds or learnt of an erased user is made anew.
            return there if _holds_now(there) and self.erasures.touches(digest) is None else None

    def open(self, kind: str, digest: str) -> Artifact:
        """Opens a parent artifact, its files checked against their digests.

        Raises:
            StoreError: it is missing or damaged; a `StorageError` where it cannot be read.
        """
        with reading(self.store.path_of(kind, digest)):
            return self.store.open(kind, digest)

    def make(self, request: Request, build: Build, *, run_id: str) -> Outcome:
        """Answers a request: with the artifact that is there, else by staging, auditing and committing one.

        Raises:
            Refused: when the contract fails; the failed checks are in the registry and on the error.
            StorageError: when a disk is full or broken: no contract failed, and none is on record.
        """
        there = self.find(request)
        if there is not None:
            checks = self.registry.checks(there.digest)
            self.registry.record(there, [], run_id=run_id, seconds=0.0)
            return Outcome(there, checks, reused=True)
        with pending(self.store.root) as note:
            return self._made(request, build, run_id, note)

    def _made(self, request: Request, build: Build, run_id: str, note: Pending) -> Outcome:
        began = time.perf_counter()
        with self.store.stage(request.kind) as staged:
            try:
                erased = self.erasures.refuse(request)
                with disk_told(staged):
                    built = build(request, staged)
                self.erasures.refuse_if_later(request, erased)
            except StorageError:
                raise
            except HierError as error:
                checks = [CheckRow("contract", False, error.as_dict())]
                self._refuse(request, checks, run_id, error, staged)
            failed = [c for c in built.checks if not c.passed and c.name not in built.advisory]
            if failed:
                refusal = ContractError(
                    "; ".join(f"{c.name} failed: {_words(c.facts)}" for c in failed),
                    domain=request.partition,
                    fix="; ".join(built.remedies.get(c.name, _LOOK) for c in failed),
                )
                checks = [CheckRow("contract", False, refusal.as_dict()), *built.checks]
                self._refuse(request, checks, run_id, refusal, staged)
            manifest = Manifest(
                kind=request.kind,
                partition=request.partition,
                request_key=request.key,
                code_version=request.code_version,
                params=request.params,
                seeds=request.seeds,
                parents=request.parents,
                inputs=request.inputs,
                environment=environment_digest(),
                tables=built.tables,
                summary=built.summary,
            )
            checks = [CheckRow("contract", True, {"checks": len(built.checks)}), *built.checks]
            artifact = self._commit(staged, manifest, built.known, checks, run_id, began, note)
        self.registry.record(artifact, checks, run_id=run_id, seconds=time.perf_counter() - began)
        note.done()
        return Outcome(artifact, checks, reused=False)

    def note_failure(self, kind: str, partition: str | None, error: HierError, run_id: str) -> list[CheckRow]:
        """Records that a stage could not even be asked for: a file or a parent is missing."""
        checks = [CheckRow("contract", False, error.as_dict())]
        self.registry.record_failure(kind, partition, "", checks, run_id=run_id)
        return checks

    def _refuse(
        self, request: Request, checks: list[CheckRow], run_id: str, error: HierError, staged: Path
    ) -> None:
        self.registry.record_failure(request.kind, request.partition, request.key, checks, run_id=run_id)
        if request.kept_as is not None and (staged / QUARANTINE).is_dir() and (staged / LEDGER).is_file():
            self._keep_quarantine(request, request.kept_as, checks, run_id, error, staged)
        raise Refused(
            error.message,
            checks=checks,
            domain=error.domain or request.partition,
            file=error.file,
            column=error.column,
            fix=error.fix,
            detail=error.detail,
        ) from error

    def _keep_quarantine(
        self,
        request: Request,
        kind: str,
        checks: list[CheckRow],
        run_id: str,
        error: HierError,
        staged: Path,
    ) -> None:
        """Commits the quarantined rows of a refused ingest, so that people can look at all of them."""
        began = time.perf_counter()
        with pending(self.store.root) as note, self.store.stage(kind) as kept:
            shutil.copytree(staged / QUARANTINE, kept / QUARANTINE)
            shutil.copyfile(staged / LEDGER, kept / LEDGER)
            manifest = Manifest(
                kind=kind,
                partition=request.partition,
                # Not the key of the request itself: that one has no answer.
                request_key=digest_of({"refused": request.key}),
                code_version=request.code_version,
                params=request.params,
                parents=request.parents,
                inputs=request.inputs,
                environment=environment_digest(),
                # The message may show rows; it is among the checks, from which a redaction can take it.
                summary={"refused": request.title, "code": error.code},
            )
            artifact = self._commit(kept, manifest, (), checks, run_id, began, note)
            self.registry.record(artifact, checks, run_id=run_id, seconds=time.perf_counter() - began)
            note.done()

    def _commit(
        self,
        staged: Path,
        manifest: Manifest,
        known: Sequence[FileEntry],
        checks: list[CheckRow],
        run_id: str,
        began: float,
        note: Pending,
    ) -> Artifact:
        """Commits what was staged, once a note says what the registry must hear of it."""

        def announce(digest: str) -> None:
            seconds = time.perf_counter() - began
            note.write(Note.of_now(manifest.kind, digest, checks, run_id=run_id, seconds=seconds))

        return self.store.commit(staged, manifest, known, before=announce)


def _holds_now(artifact: Artifact) -> bool:
    now = datetime.now(UTC)
    since, until = (artifact.manifest.summary.get(k) for k in ("holds_from", "holds_until"))
    return (since is None or datetime.fromisoformat(since) <= now) and (
        until is None or now < datetime.fromisoformat(until)
    )


def _words(facts: dict[str, Any]) -> str:
    if "message" in facts:
        return str(facts["message"])
    return ", ".join(f"{k} = {v}" for k, v in facts.items())
