"""The leakage certificate of everything that an alias names, proven again."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path

from hier_dag.audit.claim import FAILED, NOT_ASKED
from hier_dag.audit.leakage import prove
from hier_dag.audit.verify_files import WORK
from hier_dag.audit.verify_verdict import LEAKAGE, Problem, Verdict
from hier_dag.errors import StoreError
from hier_dag.ingest.connection import connect
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.progress import Step, tell
from hier_dag.registry import AliasRow
from hier_dag.store import Artifact, ArtifactStore
from hier_dag.store.failures import unreadable

_FIX = "do not use the set: hier rollback to one that is proven; hier audit leakage DIGEST has the figures"
_MEND = "mend what is named above, then verify again"


class _Read(ArtifactStore):
    """A store whose bytes were compared with their digests a moment ago; damaged artifacts are refused."""

    def __init__(self, root: Path, damaged: Collection[str]) -> None:
        super().__init__(root)
        self._damaged = damaged

    def open(self, kind: str, digest: str, *, verify: bool = True) -> Artifact:
        if digest in self._damaged:
            raise StoreError(f"{kind} {digest[:12]} is damaged")
        return super().open(kind, digest, verify=False)


def check_leakage(root: Path, heads: Collection[AliasRow], damaged: Collection[str], found: Verdict) -> None:
    """Proves each set that an alias names, its model, encoder and graph; what does not hold is noted.

    Args:
        root: of the store, whose bytes were read.
        heads: where each alias points.
        damaged: digests of artifacts that are not whole.
        found: where problems and figures are noted.
    """
    named = {row.digest: f"{row.domain}, {row.alias}" for row in heads}
    store = _Read(root, damaged)
    with tempfile.TemporaryDirectory(prefix="hier-audit-") as scratch, connect(Path(scratch)) as con:
        for n, (digest, name) in enumerate(sorted(named.items(), key=lambda item: item[1])):
            tell(Step(WORK, f"proving that {name} knows nothing held out", n, len(named)))
            where = f"{name}, set {digest[:12]}"
            try:
                claims = list(prove(store, PUBLISHED, digest, con))
            except (StoreError, OSError) as e:
                error = unreadable(e, root) if isinstance(e, OSError) else e
                said = f"it cannot be asked: {error.message}"
                found.problems.append(
                    Problem(LEAKAGE, where, error.file, "a chain of artifacts", said, _MEND)
                )
                continue
            found.proven += sum(claim.outcome not in (FAILED, NOT_ASKED) for claim in claims)
            unasked = {f"{c.claim}: {c.told}" for c in claims if c.outcome == NOT_ASKED}
            found.not_asked += sorted(unasked - set(found.not_asked))
            for c in claims:
                if c.outcome == FAILED:
                    at = f"{where}: {c.artifact} {c.digest[:12]}" + (f", {c.domain}" if c.domain else "")
                    found.problems.append(Problem(LEAKAGE, at, None, c.claim, c.told, _FIX))
