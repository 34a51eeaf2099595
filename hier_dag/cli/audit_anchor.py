"""`hier audit anchor`: notes where the registry's chain ends, outside the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hier_dag.cli.output import DomainsFile, Json, out, print_json
from hier_dag.errors import StoreError, UsageError


def anchor(
    file: Annotated[
        Path | None, typer.Option("--file", help="File to append to, best on another machine's disk.")
    ] = None,
    git: Annotated[
        Path | None,
        typer.Option("--git", help="Git repository: its newest commit gets a note."),
    ] = None,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Note number and hash of the newest event elsewhere: `hier audit verify` then misses nothing cut off."""
    from hier_dag.cli.places import registry_of, state_of
    from hier_dag.registry.anchors import append_anchor, note_anchor

    if file is None and git is None:
        raise UsageError("where is the anchor to lie?", fix="give --file FILE or --git FOLDER, or both")
    _, home = state_of(domains)
    head = registry_of(home).head()
    if head.seq == 0:
        raise UsageError("the registry has no event yet: there is nothing to hold fast.", fix="run: hier run")
    where = []
    if file is not None:
        try:
            append_anchor(file, head)
        except OSError as e:
            raise StoreError(f"no anchor can be written: {e.strerror or e}", file=str(file)) from None
        where.append(str(file))
    if git is not None:
        where.append(f"note of commit {note_anchor(git, head)[:12]}")
    if as_json:
        print_json({"seq": head.seq, "hash": head.hash, "where": where})
    else:
        out.print(f"Event {head.seq:,}, {head.hash}: {', '.join(where)}", soft_wrap=True, highlight=False)
