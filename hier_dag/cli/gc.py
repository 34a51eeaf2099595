"""`hier gc`: removes what nobody needs from a platform's store, once it has shown what that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from hier_dag.cli.output import DomainsFile, Json, out, print_json

if TYPE_CHECKING:
    from hier_dag.retention.at_copies import AtCopies
    from hier_dag.retention.collect import Collected
    from hier_dag.retention.leftovers import Leftover
    from hier_dag.retention.plan import Going, Plan, Stays

_SHORT = 12
_SHOWN = 40


def gc(
    domains: DomainsFile = None,
    older_than: Annotated[
        float | None,
        typer.Option(
            "--older-than", metavar="DAYS", min=0, max=36_500,
            help="Leave alone what was made or used since then; default 1. 0 only while nothing runs.",
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Sets of each alias that stay, the live one included; default 3."
        ),
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Remove it; without, it is only shown.")] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Show what nobody needs any more in the store and at copies, and why; with --delete, remove it."""
    from hier_dag.cli.places import registry_of, state_of, state_to_change
    from hier_dag.retention.collect import collect
    from hier_dag.retention.keep import Rules
    from hier_dag.retention.plan import Retention
    from hier_dag.store import ArtifactStore

    config, home = (state_to_change if delete else state_of)(domains)
    declared = config.retention
    rules = Rules(
        declared.keep if keep is None else keep,
        timedelta(days=declared.days if older_than is None else older_than),
    )
    ArtifactStore(home.store)  # its folders are there from now on
    registry = registry_of(home)
    retention, now = Retention(config, home, registry, rules), datetime.now(UTC)
    plan = retention.plan(now)
    done = collect(retention, now) if delete else None
    if as_json:
        print_json(_record(plan, done, retention.freed(plan)))
    elif done is None:
        _print_plan(plan, retention.freed(plan))
    else:
        _print_done(done, plan.stays)
    if not as_json:
        _print_at_copies(plan.at_copies if done is None else done.at_copies, removed=done is not None)


def _print_plan(plan: Plan, freed: int) -> None:
    if not plan.going and not plan.leftovers and not plan.at_copies.going:
        out.print("Nothing to remove.", highlight=False)
    if plan.going or plan.leftovers:
        _print_going("Would be removed", plan.going, plan.leftovers)
    out.print(_stays(plan.stays))
    if plan.going or plan.leftovers:
        what = _counted(plan.going, plan.leftovers)
        out.print(f"{what} would go and free {decimal(freed)}. Nothing was removed.", highlight=False)
        out.print(
            "Next: the same with [bold]--delete[/]; to keep a set: [bold]hier pin DOMAIN --version V[/]"
        )


def _print_done(done: Collected, stays: Iterable[Stays]) -> None:
    if done.removed or done.leftovers:
        _print_going("Removed", done.removed, done.leftovers)
    out.print(_stays(stays))
    for a in done.given_back:
        told = f"{a.kind} {a.digest[:_SHORT]} stays: it was asked for while it was being removed."
        out.print(told, style="yellow", markup=False, highlight=False)
    if not done.removed and not done.leftovers:
        if not done.at_copies.going:
            out.print("Nothing to remove.", highlight=False)
        return
    what = _counted(done.removed, done.leftovers)
    out.print(f"Removed {what}; freed {decimal(done.freed)}. It is on record.", highlight=False)


def _print_going(title: str, going: Iterable[Going], leftovers: Iterable[Leftover]) -> None:
    now = datetime.now(UTC)
    rows = []
    for g in going:
        a = g.artifact
        about = (a.kind, a.partition or "", a.digest[:_SHORT])
        rows.append((*about, decimal(g.bytes), _age(g.age), g.why))
    for x in leftovers:
        rows.append((x.path.parent.name, "", x.path.name, decimal(x.bytes), _age(now - x.at), x.why))
    table = Table(title=title, title_justify="left")
    for head in ("kind", "partition", "digest", "size", "unused for", "why it goes"):
        table.add_column(head, overflow="fold", justify="right" if head in ("size", "unused for") else "left")
    for row in rows[:_SHOWN]:
        table.add_row(*(Text(cell) for cell in row))
    if len(rows) > _SHOWN:
        table.add_row(Text(f"and {len(rows) - _SHOWN:,} more; all: --json", style="dim"))
    out.print(table)


def _print_at_copies(found: AtCopies, *, removed: bool) -> None:
    if found.going:
        table = Table(
            title="Removed at copies" if removed else "Would be removed at copies", title_justify="left"
        )
        for head in ("place", "partition", "digest", "size", "why it goes"):
            table.add_column(head, overflow="fold", justify="right" if head == "size" else "left")
        for g in found.going[:_SHOWN]:
            cells = (g.place, g.partition or "", g.digest[:_SHORT], decimal(g.bytes), g.why)
            table.add_row(*(Text(cell) for cell in cells))
        out.print(table)
        what = f"{len(found.going):,} set{'s' * (len(found.going) != 1)} at copies"
        size = decimal(sum(g.bytes for g in found.going))
        out.print(f"{what}, {size}: {'removed' if removed else 'would go with --delete'}.", highlight=False)
    for place in found.unreached:
        told = f"A copy could not be asked, nothing goes there: {place}"
        out.print(told, style="yellow", markup=False, highlight=False, soft_wrap=True)


def _stays(stays: Iterable[Stays]) -> Table:
    table = Table(title="Stays", title_justify="left")
    for head in ("why", "artifacts", "size"):
        table.add_column(head, justify="left" if head == "why" else "right")
    for s in stays:
        table.add_row(s.why, f"{s.artifacts:,}", decimal(s.bytes))
    return table


def _counted(going: Iterable[Going], leftovers: Iterable[Leftover]) -> str:
    artifacts, left = len(list(going)), len(list(leftovers))
    words = [f"{artifacts:,} artifact{'s' * (artifacts != 1)}"] if artifacts or not left else []
    words += [f"{left:,} leftover{'s' * (left != 1)}"] if left else []
    return " and ".join(words)


def _age(age: timedelta) -> str:
    hours = max(0.0, age / timedelta(hours=1))
    if hours < 1:
        return f"{60 * hours:.0f} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d"


def _record(plan: Plan, done: Collected | None, freed: int) -> dict[str, Any]:
    going = plan.going if done is None else done.removed
    leftovers = plan.leftovers if done is None else done.leftovers
    at_copies = plan.at_copies if done is None else done.at_copies
    return {
        "deleted": done is not None,
        "artifacts": [
            {
                "kind": g.artifact.kind,
                "partition": g.artifact.partition,
                "digest": g.artifact.digest,
                "bytes": g.bytes,
                "unused_seconds": round(g.age.total_seconds()),
                "why": g.why,
            }
            for g in going
        ],
        "leftovers": [{"path": str(x.path), "bytes": x.bytes, "why": x.why} for x in leftovers],
        "at_copies": [asdict(g) for g in at_copies.going],
        "unreached": list(at_copies.unreached),
        "given_back": [] if done is None else [a.digest for a in done.given_back],
        "stays": [{"why": s.why, "artifacts": s.artifacts, "bytes": s.bytes} for s in plan.stays],
        "freed_bytes": freed if done is None else done.freed,
    }
