"""`hier recommend`: a user's best items, from the published set alone."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from hier_dag.cli.output import DomainsFile, Json, out, print_json, readable

if TYPE_CHECKING:
    from hier_dag.publish.reader import Recommendation


def recommend(
    domain: Annotated[str, typer.Argument(help="A published target domain.")],
    user: Annotated[str, typer.Argument(help="Original user id.")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many items.")] = 10,
    include_seen: Annotated[bool, typer.Option(help="Also what the user has acted on already.")] = False,
    alias: Annotated[str, typer.Option(help="Alias to read.")] = "live",
    version: Annotated[int | None, typer.Option(min=1, help="An earlier version of it.")] = None,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Recommend items of a domain to a user."""
    from hier_dag.cli.places import home_publishing
    from hier_dag.publish.reader import open_set

    domain, user, alias = readable(domain, "DOMAIN"), readable(user, "USER"), readable(alias, "--alias")
    published = open_set(home_publishing(domain, domains).root, domain, alias, version=version)
    best = published.recommend(user, k, include_seen=include_seen)
    if as_json:
        print_json(
            {
                "domain": domain,
                "user": user,
                "alias": alias,
                "version": published.version,
                "digest": published.digest,
                "space": published.space,
                "origin": published.user_origin(user),
                "items": [asdict(r) for r in best],
            }
        )
        return
    of = "" if alias == "live" else f"{alias} "
    head = f"{domain} for {user} ({of}version {published.version}, vector {published.user_origin(user)})"
    out.print(best_table(head, best))
    again = shlex.join(["hier", "why", domain, user])
    out.print(Text.assemble("Why: ", (again, "bold")), highlight=False, soft_wrap=True)


def best_table(head: str, best: Iterable[Recommendation]) -> Table:
    """One row a recommended item, best first; ids and names as they are."""
    table = Table(title=Text(head, style="table.title"), title_justify="left")
    for head in ("rank", "item", "name", "score", "origin"):
        table.add_column(head, justify="right" if head in ("rank", "score") else "left")
    for rank, r in enumerate(best, 1):
        table.add_row(str(rank), Text(r.item_id), Text(r.name), f"{r.score:.3f}", r.origin)
    return table
