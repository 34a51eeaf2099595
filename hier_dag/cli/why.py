"""`hier why`: one published vector, back to the raw files and rows."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text
from rich.tree import Tree

from hier_dag.cli.output import DomainsFile, Json, out, print_json, readable

if TYPE_CHECKING:
    from hier_dag.lineage.why import Why

_SHORT = 12


class Role(StrEnum):
    """What an id may name."""

    USER = "user"
    ITEM = "item"


def why(
    domain: Annotated[str, typer.Argument(help="A published target domain.")],
    id: Annotated[str, typer.Argument(help="Original id of a user or an item.")],
    role: Annotated[Role | None, typer.Option(help="Which one, where an id is both.")] = None,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Show where a published vector comes from, back to the raw files and rows."""
    from hier_dag.cli.places import home_publishing, live_of
    from hier_dag.lineage.why import why as explain
    from hier_dag.registry import Registry
    from hier_dag.store import ArtifactStore

    domain, id = readable(domain, "DOMAIN"), readable(id, "ID")
    home = home_publishing(domain, domains)
    live = live_of(home, domain)
    registry = Registry(home.registry_url, platform=home.platform)
    found = explain(ArtifactStore(home.store), registry, live, id, role.value if role else None)
    if as_json:
        print_json(asdict(found))
    else:
        out.print(tree_of(found), highlight=False)
        if found.namesake:
            told = f"{id} is also an {found.namesake} here: hier why {domain} {id} --role {found.namesake}"
            out.print(told, style="yellow", markup=False, highlight=False)


def tree_of(found: Why) -> Tree:
    """The walk from a vector back to raw rows; ids and file names as they are."""
    root = Tree(
        Text.assemble(
            (found.domain, "bold"), f" {found.role} ", (found.id, "bold"),
            f": live version {found.version}, origin ", (found.origin, "bold"), f", norm {found.norm:.3f}",
        )
    )  # fmt: skip
    by_digest = {a["digest"]: a for a in found.artifacts}
    _grow(root, found.artifacts[0], by_digest, {r["file"]: r for r in found.raw}, set())
    return root


def _grow(
    parent: Tree, entry: dict[str, Any], by_digest: dict[str, Any], raw: dict[str, Any], shown: set[str]
) -> None:
    name = entry["kind"] + (f"[{entry['partition']}]" if entry["partition"] else "")
    text = Text.assemble((name, "cyan"), f" {entry['digest'][:_SHORT]}")
    if entry["digest"] in shown:
        parent.add(text.append(" (see above)", "dim"))
        return
    shown.add(entry["digest"])
    branch = parent.add(text.append_text(_facts(entry)))
    for file in entry["inputs"]:
        rows = raw.get(file["location"])
        found = f" · rows {_numbers(rows)}" if rows else ""
        if found or entry["kind"] != "raw/events":
            location = (file["location"], "green")
            branch.add(Text.assemble(location, f" sha256 {file['sha256'][:_SHORT]}{found}"))
    for digest in entry["parents"].values():
        above = by_digest[digest]
        if above["kind"] == "raw/events" and not any(f["location"] in raw for f in above["inputs"]):
            continue
        _grow(branch, above, by_digest, raw, shown)


def _facts(entry: dict[str, Any]) -> Text:
    """Code, seeds, checks, run and time of an artifact."""
    failed = [c["name"] for c in entry["checks"] if not c["passed"]]
    seeds = f", seeds {entry['seeds']}" if entry["seeds"] else ""
    return Text.assemble(
        f" · code {entry['code_version']} at {entry['code_commit'][:_SHORT]}{seeds} · ",
        (f"failed {', '.join(failed)}", "red") if failed else f"{len(entry['checks'])} checks passed",
        f" · run {entry['run_id'][:8]} · {entry['created_at'][:19]}",
    )


def _numbers(rows: dict[str, Any]) -> str:
    listed = ", ".join(str(n) for n in rows["row_numbers"])
    more = rows["rows"] - len(rows["row_numbers"])
    return listed + (f" and {more} more" if more else "")
