"""Keeps what holds or learnt of erased users out of every later build; asked by the workshop.

Without an erasure it costs one query. With some, each artifact is looked at once: what was found is noted
beside the secret, under the name of the list of erased users. The notes may be deleted at any time.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, suppress
from pathlib import Path

from hier_dag.durable import replace_file
from hier_dag.erasure.erased import Erased, erased_of
from hier_dag.erasure.places import UNLEARNT
from hier_dag.errors import ContractError, StoreError
from hier_dag.pipeline.request import Request
from hier_dag.registry import Registry
from hier_dag.store import ArtifactStore

NOTES = "erasure"


class Guard:
    """Whether artifacts may be built upon, given who was erased.

    Args:
        store: of artifacts.
        registry: of the platform.
        home: folder of the platform's state; by default the one that the store lies in.
        said_in: registry that the erasures are on record in; by default the same.
    """

    def __init__(
        self,
        store: ArtifactStore,
        registry: Registry,
        home: Path | None = None,
        said_in: Registry | None = None,
    ) -> None:
        self._store = store
        self._registry = registry
        self.home = home or store.root.parent
        self._said_in = said_in or registry

    def erased(self) -> Erased | None:
        """Everybody who was erased by now; None where nobody was.

        Raises:
            ConfigError: the secret that recognises them is gone.
        """
        return erased_of(self._said_in, self.home)

    def touches(self, digest: str) -> str | None:
        """`holds` or `learnt` where an artifact has something of an erased user, else None."""
        erased = self.erased()
        return None if erased is None else self.words(erased, [digest])[digest]

    def words(self, erased: Erased, digests: list[str]) -> dict[str, str | None]:
        """`holds`, `learnt` or None for each of some artifacts, from the notes or by looking."""
        notes = self._noted(erased)
        new = [digest for digest in digests if digest not in notes]
        if new:
            notes |= self._graded(erased, new)
            self._note(erased, notes)
        return {digest: notes[digest] for digest in digests}

    def refuse(self, request: Request) -> Erased | None:
        """Refuses to build upon what has something of an erased user.

        Returns:
            Everybody who was erased when the build began.

        Raises:
            ContractError: a parent holds or learnt of an erased user.
        """
        erased = self.erased()
        if erased is None or "before" in request.parents:  # it takes that one's place, and learns nothing
            return erased
        parents = {role: d for role, d in request.parents.items() if role not in UNLEARNT}
        words = self.words(erased, list(parents.values()))
        wrong = {role: words[digest] for role, digest in parents.items() if words[digest]}
        if wrong:
            said = ", ".join(f"{role} {word}" for role, word in wrong.items())
            raise ContractError(
                f"{request.title} would be made from what is of erased users: {said}.",
                domain=request.partition,
                fix="make what is above it anew: hier run does, from the raw files on",
                detail={"parents": {role: parents[role] for role in wrong}},
            )
        return erased

    def refuse_if_later(self, request: Request, began: Erased | None) -> None:
        """Refuses to commit what was built of raw files, or of what is touched, while somebody was erased.

        Args:
            request: that it answers.
            began: who was erased when its build began.

        Raises:
            ContractError: somebody was erased since who may be in it.
        """
        if self.erased() == began:
            return
        self.refuse(request)
        if request.inputs:
            raise ContractError(
                f"users were erased while {request.title} was being made.",
                domain=request.partition,
                fix="run again: it is made without them",
            )

    def _graded(self, erased: Erased, digests: list[str]) -> dict[str, str | None]:
        # The engine is imported where somebody was erased, and nowhere else.
        from hier_dag.erasure.grades import Grades, Known
        from hier_dag.home import Home, working_folder
        from hier_dag.ingest.connection import connect

        def look(digest: str) -> Known | None:
            row = self._registry.artifact(digest)
            if row is None:
                return None
            stored = None
            with suppress(StoreError):
                stored = self._store.open(row.kind, digest, verify=False)
            return Known(row.kind, row.manifest["parents"], stored)

        with ExitStack() as stack:
            con = stack.enter_context(connect(stack.enter_context(working_folder(Home(self.home)))))
            grades = Grades(con, erased, look)
            return {digest: grades.of(digest).word for digest in digests}

    def _noted(self, erased: Erased) -> dict[str, str | None]:
        try:
            noted: dict[str, str | None] = json.loads(self._notes(erased).read_bytes())
            return noted
        except (OSError, ValueError):
            return {}

    def _note(self, erased: Erased, notes: dict[str, str | None]) -> None:
        with suppress(OSError):  # a home that cannot be written is looked at again
            path = self._notes(erased)
            replace_file(path, json.dumps(notes, sort_keys=True).encode())
            for other in set(path.parent.glob("*.json")) - {path}:
                other.unlink(missing_ok=True)  # of a list that is longer by now

    def _notes(self, erased: Erased) -> Path:
        return self.home / NOTES / f"{erased.name[:32]}.json"
