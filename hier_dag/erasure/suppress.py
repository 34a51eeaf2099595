"""A published set without some users: the same vectors, space and index; their rows are gone.

Nothing is learnt anew here, so that it takes as long as copying: what the set's vectors learnt of the users
goes with the next training. Its items stay as they are, index included: those are items, and an item that is
called like an erased user is no person.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from ibis.backends.duckdb import Backend

from hier_dag.conservation import LEDGER, Flow, read_flows, write_flows
from hier_dag.erasure.erased import Erased
from hier_dag.erasure.filtered import Kept, write_without
from hier_dag.erasure.recognise import found
from hier_dag.erasure.scan import Ids, held
from hier_dag.errors import StoreError
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.stages import CODE_VERSIONS, PUBLISHED
from hier_dag.pipeline.workshop import Built, Workshop
from hier_dag.publish.files import SEEN, SET, USERS
from hier_dag.publish.writing import HashedFolder
from hier_dag.registry import CheckRow
from hier_dag.store import Artifact
from schemas.audits import audit_embeddings
from schemas.columns import columns_of

BEFORE, COUNT = "before", "suppressed"
"""Role of the set before among a suppressed one's parents; parameter that says how many users went."""


@dataclass
class Suppression:
    """Makes sets without erased users, each once.

    Args:
        con: the engine.
        workshop: the store and the registry.
        erased: who was erased.
    """

    con: Backend
    workshop: Workshop
    erased: Erased

    def __post_init__(self) -> None:
        self.made: dict[str, Artifact] = {}

    def of(self, digest: str) -> Artifact | None:
        """The set that takes a set's place; None where that holds no erased user.

        The set that began its space goes the same way: it would otherwise have to be kept for the next one.

        Raises:
            StoreError: the set is damaged or gone.
            Refused: what was written is not sound, or still holds somebody.
        """
        if digest in self.made:
            return self.made[digest]
        old = self.workshop.store.open(PUBLISHED, digest)
        anchor = self._anchor(old)
        ids = held(self.con, old, self.erased)
        if not ids and anchor is None:
            return None
        self.made[digest] = self._without(old, ids, anchor)
        return self.made[digest]

    def _anchor(self, old: Artifact) -> Artifact | None:
        named = old.manifest.summary.get("anchor")
        if named is None:
            return None
        try:
            return self.of(named)
        except StoreError:
            return None  # it is gone: nothing of anybody is in it

    def _without(self, old: Artifact, ids: Ids, anchor: Artifact | None) -> Artifact:
        parents = {**old.manifest.parents, BEFORE: old.digest}
        if anchor is not None and "anchor" in parents:
            parents["anchor"] = anchor.digest
        request = Request(
            PUBLISHED,
            old.manifest.partition,
            CODE_VERSIONS[PUBLISHED],
            {**old.manifest.params, COUNT: len(ids)},
            parents,
        )

        def build(_: Request, staged: Path) -> Built:
            changed = {} if anchor is None else {"anchor": anchor.digest}
            return write_suppressed(self.con, old, self.erased, changed, staged)

        return self.workshop.make(request, build, run_id="").artifact


def write_suppressed(
    con: Backend, old: Artifact, erased: Erased, changed: dict[str, Any], staged: Path
) -> Built:
    """Writes a set without erased users into a staged folder, and audits it there.

    Args:
        con: the engine.
        old: the set.
        erased: who was erased.
        changed: facts of `set.json` that are others now.
        staged: an empty folder.
    """
    folder, tables = HashedFolder(staged), {f.path for f in old.manifest.files}
    users = sorted(name for name in tables if name.startswith("users.") and name.endswith(".parquet"))
    ids = pa.array(sorted(held(con, old, erased)), pa.string())
    kept = {name: write_without(old.file(name), folder, ids) for name in [*users, SEEN] if name in tables}
    for name in sorted(tables - {*kept, SET, LEDGER}):
        _take_over(old.file(name), staged / name)
    facts = {**_facts(old.json(SET), kept[USERS]), **changed}
    with folder.create(SET) as file:
        file.write(json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False).encode())
    write_flows([*_flows_so_far(old), *_flows(str(old.manifest.partition), kept)], staged)
    failures = audit_embeddings(con, staged)
    left = _left(con, staged, [*kept], erased)
    return Built(
        tables={p.name: columns_of(PUBLISHED, p) for p in sorted(staged.glob("*.parquet"))},
        summary=facts,
        checks=[
            CheckRow("row_schema", not failures, {"failures": [f.as_dict() for f in failures]}),
            CheckRow("no_erased_users", left == 0, {"users": left}),
        ],
        known=tuple(folder.entries),
    )


def _left(con: Backend, staged: Path, names: list[str], erased: Erased) -> int:
    columns = [con.read_parquet(str(staged / name))["user_id"] for name in names]
    return len(found(con, columns, erased))


def _facts(old: dict[str, Any], users: Kept) -> dict[str, Any]:
    norms = users.norms if users.norms is not None else np.zeros(0, np.float32)
    some = len(norms) > 0
    return {
        **old,
        "users": users.after,
        "user_origins": {name: users.origins.get(name, 0) for name in old["user_origins"]},
        "norms": {
            **old["norms"],
            "users": {
                "min": float(norms.min()) if some else None,
                "median": float(np.median(norms)) if some else None,
                "max": float(norms.max()) if some else None,
            },
        },
    }


def _flows_so_far(old: Artifact) -> list[Flow]:
    return read_flows(old.path) if LEDGER in {f.path for f in old.manifest.files} else []


def _flows(domain: str, kept: dict[str, Kept]) -> list[Flow]:
    def flow(unit: str, file: str) -> Flow:
        k = kept[file]
        gone = {"erased": k.before - k.after}
        return Flow("set → set without erased users", unit, k.before, {file: k.after}, gone, domain)

    return [flow("users", USERS), *([flow("pairs", SEEN)] if SEEN in kept else [])]


def _take_over(source: Path, target: Path) -> None:
    """The same bytes: artifacts are immutable, so that two may share a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(source, target)
