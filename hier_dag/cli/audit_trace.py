"""`hier audit trace`: what an artifact was made of, or what was made of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text
from rich.tree import Tree

from hier_dag.cli.output import DomainsFile, Json, out, print_json, readable
from hier_dag.cli.short import commit

if TYPE_CHECKING:
    from hier_dag.lineage.trace import Trace, Traced
    from hier_dag.lineage.versions import Version

_SHORT = 12
_PAST = 6  # earlier versions of one set that are listed


def trace(
    digest: Annotated[
        str, typer.Argument(help="Digest or its beginning, or DOMAIN or DOMAIN@VERSION for a published set.")
    ],
    up: Annotated[
        bool, typer.Option("--up/--down", help="Towards the raw files, or towards what is published.")
    ] = True,
    depth: Annotated[int | None, typer.Option(min=1, help="Steps at most.")] = None,
    most: Annotated[int, typer.Option("-n", min=1, help="Artifacts to show below each one.")] = 12,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Show the ancestors or the descendants of an artifact, what is still stored, and what is live."""
    from hier_dag.cli.audit_places import on_record
    from hier_dag.lineage.reference import named
    from hier_dag.lineage.trace import trace as follow

    registry, stores = on_record(domains)
    start = named(registry, readable(digest, "DIGEST"))
    found = follow(registry, stores, start.digest, up=up, depth=depth)
    if as_json:
        print_json(found.as_json())
        return
    out.print(_tree(found, most), highlight=False)
    out.print(_sum(found), style="dim", highlight=False)


def _tree(found: Trace, most: int) -> Tree:
    """The way as a tree: each artifact once, below the one on the longest way to it."""
    from hier_dag.lineage.trace import ANCHOR

    by_digest = {a.node.digest: a for a in found.artifacts}
    below = found.tree()

    def grow(at: Tree, digest: str) -> None:
        order = sorted(below.get(digest, ()), key=lambda step: _order(step[0], by_digest.get(step[1])))
        for role, one in order[:most]:
            if one not in by_digest:
                at.add(Text(f"{one[:_SHORT]} is not on record", "red"))
                continue
            space = "space begun by " if found.up else "goes on with its space: "
            grow(at.add(Text(space if role == ANCHOR else "", "dim").append(_told(by_digest[one]))), one)
        if len(order) > most:
            kinds = Counter(by_digest[d].node.kind for _, d in order[most:] if d in by_digest)
            listed = ", ".join(f"{n:,} {kind}" for kind, n in kinds.items())
            at.add(Text(f"and {listed} more (-n, --json)", "yellow"))

    root = Tree(_told(by_digest[found.start]))
    grow(root, found.start)
    return root


def _order(role: str, traced: Traced | None) -> tuple[bool, bool, int]:
    """What only shares the space comes last; what is in force comes first, then the newest."""
    if traced is None:
        return True, True, 0
    from hier_dag.lineage.trace import ANCHOR

    return role == ANCHOR, not any(v.in_force for v in traced.versions), -traced.node.event


def _told(traced: Traced) -> Text:
    node = traced.node
    text = Text.assemble(
        (node.title, "bold cyan"),
        f" {node.digest[:_SHORT]} · code {node.code_version} at {commit(node.code_commit)}",
        (f" · {node.created_at:%Y-%m-%d %H:%M}", "dim"),
    )
    live = [v for v in traced.versions if v.in_force]
    past = [v for v in traced.versions if not v.in_force]
    name = _by_platform if len({v.platform for v in traced.versions}) > 1 else str
    if live:
        text.append(f"\n● in force: {', '.join(map(name, live))}", "bold green")
    if past:
        text.append(f"\n○ earlier: {', '.join(map(name, past[-_PAST:]))}", "green")
        text.append(f" and {len(past) - _PAST:,} more" if len(past) > _PAST else "", "green")
    if not traced.stores:
        text.append(" · no longer stored", "red")
    return text


def _by_platform(version: Version) -> str:
    return f"{version} ({version.platform})"


def _sum(found: Trace) -> str:
    """How many of each kind there are, and how many of these are still stored."""
    kinds: dict[str, list[Traced]] = {}
    for one in found.artifacts:
        if one.steps:
            kinds.setdefault(one.node.kind, []).append(one)
    told = [f"{len(of):,} {kind} ({sum(bool(o.stores) for o in of):,} stored)" for kind, of in kinds.items()]
    what = "ancestors" if found.up else "descendants"
    return f"{what}: {', '.join(told) or 'none'}"
