"""`hier audit reconcile`: store, registry and version records brought together again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from hier_dag.cli.output import REFUSED, DomainsFile, Json, out, print_json, reason
from hier_dag.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hier_dag.reconcile.reconcile import Reconciled

_SHORT = 12


def reconcile(
    lost: Annotated[
        bool, typer.Option("--lost", help="Put artifacts that are nowhere on record as lost; with --why.")
    ] = False,
    why: Annotated[str, typer.Option(help="Why they are lost.")] = "",
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Record what ended processes committed without a row; tell how store, registry and places differ."""
    from hier_dag.cli.places import registry_of, state_of, state_to_change
    from hier_dag.reconcile.reconcile import reconcile as reconciled
    from hier_dag.store import ArtifactStore

    if why and not lost:
        raise UsageError("--why goes with --lost.", fix='give both: --lost --why "…"')
    given_up = reason(why) if lost else ""
    config, home = (state_to_change if lost else state_of)(domains)
    registry = registry_of(home)
    copies = config.stages.publish.copies
    found = reconciled(home.root, ArtifactStore(home.store), registry, copies, lost=given_up)
    if as_json:
        print_json({"platform": home.platform, **found.as_json()})
    else:
        _print(found)
    if not found.agree:
        raise typer.Exit(REFUSED)


def _print(found: Reconciled) -> None:
    rows = list(_rows(found))
    if rows:
        table = Table(title="Store, registry and version records", title_justify="left")
        for head in ("what", "which", "what now"):
            table.add_column(head, overflow="fold")
        for cells in rows:
            table.add_row(*(Text(cell) for cell in cells))
        out.print(table)
    adopted = sum(t.outcome == "adopted" for t in found.taken)
    done = f"{adopted} artifact(s) put on record. " if adopted else ""
    verdict = "Store and registry agree." if found.agree else "Store and registry do not agree."
    out.print(f"{done}{verdict}", style="bold" if found.agree else "bold red", highlight=False)


def _rows(found: Reconciled) -> Iterator[tuple[str, str, str]]:
    for t in found.taken:
        yield f"note: {t.outcome}", f"{t.kind} {t.digest[:_SHORT]}", t.why or _AFTER[t.outcome]
    for path in found.unrecorded:
        yield "artifact on no record", str(path), "hier gc removes it"
    for path in found.misplaced:
        yield "artifact under another kind", str(path), "hier audit verify says where it belongs"
    for error in found.unread:
        yield "unreadable", f"{error.file}: {error.message}", error.fix or ""
    for row in found.lost:
        yield "artifact lost", f"{row.title} {row.digest[:_SHORT]}", "on record as lost"
    for row in found.missing:
        now = "run again what needs it, or restore a backup; else: hier audit reconcile --lost --why …"
        yield "row without artifact", f"{row.title} {row.digest[:_SHORT]}", now
    for digest in found.elsewhere:
        yield "set at a copy alone", digest[:_SHORT], "it comes back when it is needed"
    for d in found.differences:
        yield "version record", f"{d.file}: {d.found} instead of {d.expected}", d.fix


_AFTER = {
    "adopted": "it has its row and its checks",
    "on record": "nothing: its row was there",
    "nothing committed": "nothing: its process ended before the commit",
    "damaged": "the next run makes it again",
    "at work": "its process is about to record it",
}
