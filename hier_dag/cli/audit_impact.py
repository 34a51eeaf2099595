"""`hier audit impact`: everything that was made of one raw file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from hier_dag.cli.output import DomainsFile, Json, out, print_json, readable

if TYPE_CHECKING:
    from hier_dag.lineage.impact import Impact
    from hier_dag.lineage.trace import Traced

_SHORT = 12
_MOST = 20


def impact(
    file: Annotated[
        str, typer.Argument(help="Location as declared or the end of it, a path, a SHA-256 or its beginning.")
    ],
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Show what was made of a raw file: artifacts, live versions, and whether the file was replaced since."""
    from hier_dag.cli.audit_places import on_record
    from hier_dag.lineage.impact import impact as follow

    registry, stores = on_record(domains)
    found = follow(registry, stores, readable(file, "FILE"))
    if as_json:
        print_json(found.as_json())
        return
    out.print(_contents(found))
    out.print(_artifacts(found))
    if found.live:
        out.print(_versions(found))
    for line, style in _verdict(found):
        out.print(line, style=style, highlight=False, markup=False)


def _contents(found: Impact) -> Table:
    table = Table(title="The file, as it was read", title_justify="left")
    for head in ("platform", "location", "sha256", "readers", "first (UTC)", "last (UTC)", "replaced"):
        table.add_column(head, overflow="fold", no_wrap=head.endswith("(UTC)"))
    for c in found.contents[-_MOST:]:
        replaced = Text("no")
        if c.replaced_by and c.replaced_at:
            replaced = Text(f"{c.replaced_at:%Y-%m-%d}, now {c.replaced_by[:8]}", "yellow")
        table.add_row(
            Text(c.platform), Text(c.location, "green"), c.sha256[:_SHORT], f"{c.readers:,}",
            f"{c.first_read:%Y-%m-%d %H:%M}", f"{c.last_read:%Y-%m-%d %H:%M}", replaced,
        )  # fmt: skip
    if len(found.contents) > _MOST:
        table.caption = f"the last {_MOST} of {len(found.contents):,} contents; all of them: --json"
    return table


def _artifacts(found: Impact) -> Table:
    table = Table(title="Made of it", title_justify="left")
    for head in ("kind", "artifacts", "stored", "domains", "newest", "made (UTC)"):
        table.add_column(head, justify="right" if head in ("artifacts", "stored") else "left")
    kinds: dict[str, list[Traced]] = {}
    for one in found.artifacts:
        if one.node.digest not in found.space_only:
            kinds.setdefault(one.node.kind, []).append(one)
    for kind, of in kinds.items():
        newest = max(of, key=lambda one: one.node.event).node
        partitions = sorted({one.node.partition for one in of if one.node.partition})
        listed = ", ".join(partitions[:3]) + (
            f" and {len(partitions) - 3} more" if len(partitions) > 3 else ""
        )
        stored = sum(bool(one.stores) for one in of)
        table.add_row(
            Text(kind, "cyan"), f"{len(of):,}", f"{stored:,}", Text(listed), newest.digest[:_SHORT],
            f"{newest.created_at:%Y-%m-%d %H:%M}",
        )  # fmt: skip
    return table


def _versions(found: Impact) -> Table:
    table = Table(title="In force now", title_justify="left")
    for head in ("platform", "domain", "alias", "version", "since (UTC)", "by", "digest"):
        table.add_column(head, justify="right" if head == "version" else "left")
    for v in found.live:
        since = f"{v.created_at:%Y-%m-%d %H:%M}"
        table.add_row(
            Text(v.platform), Text(v.domain), Text(v.alias, "bold green"), str(v.version), since, Text(v.who),
            v.digest[:_SHORT],
        )  # fmt: skip
    return table


def _verdict(found: Impact) -> list[tuple[str, str]]:
    live, past, beside = len(found.live), len(found.versions) - len(found.live), len(found.space_only)
    told = [(f"Versions made of this file: {live:,} in force, {past:,} earlier ones.", "bold")]
    if beside:
        words = (
            f"{beside:,} further sets hold nothing of it: they go on with the space that a set of it began."
        )
        told.append((words, "dim"))
    return told
