"""`hier why`: one published vector, back to the raw files and rows; or what carries a recommendation."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from hier_dag.cli.output import DomainsFile, Json, out, print_json, readable
from hier_dag.errors import UsageError


class Role(StrEnum):
    """What an id may name."""

    USER = "user"
    ITEM = "item"


def why(
    domain: Annotated[str, typer.Argument(help="A published target domain.")],
    id: Annotated[str, typer.Argument(help="Original id of a user or an item.")],
    role: Annotated[Role | None, typer.Option(help="Which one, where an id is both.")] = None,
    item: Annotated[
        str | None, typer.Option(help="An item: which decision paths recommend it to this user.")
    ] = None,
    most: Annotated[int, typer.Option("-n", min=1, help="How many decision paths to show.")] = 6,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Show where a published vector comes from: raw files and rows, code, checks, who let it go live."""
    from hier_dag.cli.places import home_publishing, live_of
    from hier_dag.cli.why_view import tree_of
    from hier_dag.lineage.why import why as explain
    from hier_dag.registry import Registry
    from hier_dag.store import ArtifactStore

    domain, id = readable(domain, "DOMAIN"), readable(id, "ID")
    if item is not None and role is Role.ITEM:
        raise UsageError("--item asks what recommends an item to a user.", fix="leave --role item out")
    home = home_publishing(domain, domains)
    live, store = live_of(home, domain), ArtifactStore(home.store)
    registry = Registry(home.registry_url, platform=home.platform)
    wanted = Role.USER if item is not None else role
    found = explain(store, registry, live, id, wanted.value if wanted else None)
    recommendation = None
    if item is not None:
        from hier_dag.lineage.carried import carried

        recommendation = carried(store, live, id, readable(item, "--item"))
    if as_json:
        carrying = None if recommendation is None else recommendation.as_dict()
        print_json({**asdict(found), "recommendation": carrying})
        return
    out.print(tree_of(found), highlight=False)
    if recommendation is not None:
        from hier_dag.cli.path_view import terms_table
        from hier_dag.cli.recommendation_view import decision_tree

        out.print()
        out.print(terms_table(recommendation))
        out.print(decision_tree(recommendation, most), highlight=False)
    if found.namesake:
        told = f"{id} is also an {found.namesake} here: hier why {domain} {id} --role {found.namesake}"
        out.print(told, style="yellow", markup=False, highlight=False)
