"""`hier audit live`: what was live at a moment, by whom and why; or every move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from hier_dag.cli.output import DomainsFile, Json, out, print_json, readable

if TYPE_CHECKING:
    from hier_dag.registry import AliasRow

_SHORT = 12


def live(
    domain: Annotated[str | None, typer.Argument(help="A target domain; default: all of them.")] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="DATE", help="A day, whose end UTC is meant, or a date and time; default: now."
        ),
    ] = None,
    history: Annotated[bool, typer.Option("--history", help="Every move up to then, newest first.")] = False,
    alias: Annotated[str, typer.Option(help="Another alias than `live`.")] = "live",
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Show what was live at a moment: version, since when, by whom, why, what became of the space, digest."""
    from hier_dag.cli.places import registry_of, state_of
    from hier_dag.retention.history import every_history, history_of, moment_of, refuse_none, shown, up_to

    now = datetime.now(UTC)
    moment = now if at is None else moment_of(at, now)
    config, home = state_of(domains)
    registry = registry_of(home)
    if domain is None:
        histories = every_history(registry, alias)
    else:
        name = readable(domain, "DOMAIN")
        histories = {name: history_of(registry, name, alias, config.target_names)}
    if at is None:  # all that is on record, though a clock that ran ahead may have made it
        past = histories
    else:
        refuse_none(list(histories.values()), moment)
        past = {name: up_to(moves, moment) for name, moves in histories.items()}
    rows = [row for moves in past.values() for row in (moves if history else moves[:1])]
    if as_json:
        print_json({"at": moment.isoformat(), "alias": alias, "versions": [_record(r) for r in rows]})
        return
    what = f"Every move of {alias} up to" if history else f"{alias} at"
    out.print(_table(rows, f"{what} {shown(moment)}"))
    for row in (moves[-1] for name, moves in histories.items() if not past[name]):
        told = f"{row.domain}: nothing yet; its first version is of {shown(row.created_at)}."
        out.print(told, style="yellow", markup=False, highlight=False)


def _table(rows: Sequence[AliasRow], title: str) -> Table:
    from hier_dag.registry.aliases import ROLLBACK

    table = Table(title=title, title_justify="left")
    for head in ("domain", "version", "since (UTC)", "action", "space", "digest", "by", "why"):
        table.add_column(head, overflow="fold", justify="right" if head == "version" else "left")
    for r in rows:
        since = r.created_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        action = Text(r.action, style="yellow" if r.action == ROLLBACK else "")
        change = Text(r.change, style="red" if r.change == "breaking" else "")
        cells = (r.domain, str(r.version), since, action, change, r.digest[:_SHORT], r.who, r.why)
        table.add_row(*(c if isinstance(c, Text) else Text(c) for c in cells))
    return table


def _record(row: AliasRow) -> dict[str, Any]:
    return {**asdict(row), "created_at": row.created_at.isoformat()}
