"""Sets that do not come back: no roll-back and no alias leads to one that holds erased users."""

from __future__ import annotations

from hier_dag.erasure.erased import SUPPRESSED
from hier_dag.errors import StoreError
from hier_dag.registry import AliasRow, Registry


def refuse_suppressed(registry: Registry, row: AliasRow) -> None:
    """Refuses a version whose set holds users who were erased since.

    Raises:
        StoreError: it does; naming the erasure.
    """
    said = registry.decisions(domain=row.domain, kinds=(SUPPRESSED,))
    word = next((d for d in said if d.subject == row.digest), None)
    if word is not None:
        raise StoreError(
            f"the set of version {row.version} holds users who were erased on {word.created_at:%Y-%m-%d} "
            f"({word.why}); it does not come back",
            domain=row.domain,
            fix=f"choose a version that was published since: hier audit live {row.domain} --history",
        )
