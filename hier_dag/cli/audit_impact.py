"""`hier audit impact`: everything that was made of one raw file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from hier_dag.cli.output import DomainsFile, Json, out, print_json, readable
from hier_dag.errors import UsageError

if TYPE_CHECKING:
    from hier_dag.lineage.impact import Impact
    from hier_dag.lineage.trace import Traced
    from hier_dag.registry import Registry
    from hier_dag.store import ArtifactStore

_SHORT = 12
_MOST = 20


def impact(
    file: Annotated[
        str, typer.Argument(help="Location as declared or a part of it, a path, a SHA-256 or its beginning.")
    ],
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Show what was made of a raw file: artifacts, live versions, and whether the file was replaced since."""
    from hier_dag.cli.audit_places import on_record

    registry, stores = on_record(domains)
    found = _impact(registry, stores, readable(file, "FILE"), domains)
    others = _other_bytes(file, found)
    if as_json:
        print_json({**found.as_json(), "other_bytes": others})
        return
    if others:
        told = f"{file} has other bytes now (SHA-256 {others['sha256'][:_SHORT]}) than were ever read there."
        out.print(told, style="bold yellow", highlight=False, markup=False, soft_wrap=True)
    out.print(_contents(found))
    out.print(_artifacts(found))
    if found.live:
        out.print(_versions(found))
    for line, style in _verdict(found):
        out.print(line, style=style, highlight=False, markup=False)


def _impact(registry: Registry, stores: dict[str, ArtifactStore], file: str, domains: str | None) -> Impact:
    """The impact of the location that a path below `data` is, whatever is there now; else of FILE."""
    from hier_dag.lineage.impact import impact as follow

    location = _location(file, domains)
    if location is not None:
        try:
            return follow(registry, stores, location)
        except UsageError:
            pass  # read from elsewhere, perhaps: its bytes tell
    return follow(registry, stores, file)


def _location(file: str, domains: str | None) -> str | None:
    """A path relative to the declaration's `data`; None for what is no path, or lies elsewhere."""
    from hier_dag.config import load_config
    from hier_dag.home import last_domains_file

    if "/" not in file and not os.path.isfile(file):
        return None
    data = load_config(Path(domains) if domains else last_domains_file()).data_dir()
    for whole in (os.path.abspath, os.path.realpath):
        path, root = Path(whole(file)), Path(whole(data))
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return None


def _other_bytes(file: str, found: Impact) -> dict[str, Any] | None:
    """Path and SHA-256 of a file that is there, where nothing like it was read at its location."""
    from hier_dag.digest import digest_file

    if not os.path.isfile(file) or not any(_names(c.location, file) for c in found.contents):
        return None
    digest = digest_file(Path(file))
    return None if digest in {c.sha256 for c in found.contents} else {"path": file, "sha256": digest}


def _names(location: str, file: str) -> bool:
    return location.rpartition("/")[2] == os.path.basename(file)


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
