"""`hier why`: one published vector, back to the raw files and rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.tree import Tree

from hier_dag.cli.output import DomainsFile, Json, out, print_json

if TYPE_CHECKING:
    from hier_dag.lineage.why import Why

_SHORT = 12


def why(
    domain: Annotated[str, typer.Argument(help="A published target domain.")],
    id: Annotated[str, typer.Argument(help="Original id of a user or an item.")],
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Show where a published vector comes from, back to the raw files and rows."""
    from hier_dag.cli.places import home_publishing
    from hier_dag.lineage.why import why as explain
    from hier_dag.publish.live import read_live
    from hier_dag.registry import Registry
    from hier_dag.store import ArtifactStore

    home = home_publishing(domain, domains)
    registry = Registry(home.registry_url, platform=home.platform)
    found = explain(ArtifactStore(home.store), registry, read_live(home.live, domain), id)
    if as_json:
        print_json(asdict(found))
    else:
        out.print(_tree(found), highlight=False)


def _tree(found: Why) -> Tree:
    head = f"[bold]{found.domain}[/] {found.role} [bold]{found.id}[/]: live version {found.version}, "
    root = Tree(head + f"origin [bold]{found.origin}[/], norm {found.norm:.3f}")
    by_digest = {a["digest"]: a for a in found.artifacts}
    _grow(root, found.artifacts[0], by_digest, {r["file"]: r for r in found.raw}, set())
    return root


def _grow(
    parent: Tree, entry: dict[str, Any], by_digest: dict[str, Any], raw: dict[str, Any], shown: set[str]
) -> None:
    name = entry["kind"] + (rf"\[{entry['partition']}]" if entry["partition"] else "")
    failed = [c["name"] for c in entry["checks"] if not c["passed"]]
    checks = f"[red]failed {', '.join(failed)}[/]" if failed else f"{len(entry['checks'])} checks passed"
    again = entry["digest"] in shown
    text = f"[cyan]{name}[/] {entry['digest'][:_SHORT]}"
    if again:
        parent.add(f"{text} [dim](see above)[/]")
        return
    shown.add(entry["digest"])
    seeds = f", seeds {entry['seeds']}" if entry["seeds"] else ""
    branch = parent.add(
        f"{text} · code {entry['code_version']} at {entry['code_commit'][:_SHORT]}{seeds} · {checks} · "
        f"run {entry['run_id'][:8]} · {entry['created_at'][:19]}"
    )
    for file in entry["inputs"]:
        rows = raw.get(file["location"])
        found = f" · rows {_numbers(rows)}" if rows else ""
        if found or entry["kind"] != "raw/events":
            branch.add(f"[green]{file['location']}[/] sha256 {file['sha256'][:_SHORT]}{found}")
    for digest in entry["parents"].values():
        above = by_digest[digest]
        if above["kind"] == "raw/events" and not any(f["location"] in raw for f in above["inputs"]):
            continue
        _grow(branch, above, by_digest, raw, shown)


def _numbers(rows: dict[str, Any]) -> str:
    listed = ", ".join(str(n) for n in rows["row_numbers"])
    more = rows["rows"] - len(rows["row_numbers"])
    return listed + (f" and {more} more" if more else "")
