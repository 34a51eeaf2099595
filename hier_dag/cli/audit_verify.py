"""`hier audit verify`: every byte, every event, every version record, every proof; exit 1 if any is wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from hier_dag.cli.output import REFUSED, DomainsFile, Json, err, out, print_json
from hier_dag.errors import ConfigError, HierError, UsageError
from hier_dag.progress import Step, listening

if TYPE_CHECKING:
    from hier_dag.audit.verify_verdict import Verdict
    from hier_dag.registry.anchors import Anchor

_SHOWN = 200


def verify(
    anchor: Annotated[
        list[Path] | None,
        typer.Option(
            "--anchor", metavar="FILE", help="File of anchors (hier audit anchor); may be repeated."
        ),
    ] = None,
    git: Annotated[
        list[Path] | None,
        typer.Option("--git", metavar="FOLDER", help="Git repository with anchors in its notes; likewise."),
    ] = None,
    key: Annotated[
        list[Path] | None,
        typer.Option("--key", metavar="PEM", help="Public key; each event must be signed by one; likewise."),
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Leave the bytes of files out.")] = False,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Verify bytes, chain, parents, version records at all places and the leakage proofs of what is live."""
    from hier_dag.audit.verify import verify as verified
    from hier_dag.cli.places import registry_of, state_of
    from hier_dag.registry import Registry
    from hier_dag.registry.anchors import noted_anchors, read_anchors

    began = time.perf_counter()
    config, home = state_of(domains)
    anchors = [a for file in anchor or () for a in _some(read_anchors(file), "--anchor", file)]
    anchors += [a for folder in git or () for a in _some(noted_anchors(folder), "--git", folder)]
    keys = dict(_key(file) for file in key) if key else None
    registry: Registry | HierError
    try:
        registry = registry_of(home)
    except HierError as error:
        registry = error
    with _bar(quiet=as_json):
        found = verified(
            home.root, home.store, registry,
            copies=config.stages.publish.copies, anchors=anchors, keys=keys, fast=fast,
        )  # fmt: skip
    if as_json:
        print_json(found.as_json())
    else:
        _print(found, time.perf_counter() - began)
    if not found.sound:
        raise typer.Exit(REFUSED)


def _some(anchors: list[Anchor], option: str, place: Path) -> list[Anchor]:
    """Anchors of a place that was named for them: none would vouch for nothing, and look as if it did."""
    if not anchors:
        raise UsageError(
            f"{option}: there is no anchor in it.",
            file=str(place),
            fix="name where hier audit anchor wrote one, or leave the option out",
        )
    return anchors


def _key(file: Path) -> tuple[str, Any]:
    from hier_dag.registry.signing import public_key

    try:
        return public_key(file)
    except ConfigError as error:
        if error.file is None:
            lacking = "--key: the library cryptography is not installed."
            raise ConfigError(lacking, fix="pip install -e '.[sign]', or leave --key out") from None
        fix = "name the public half of the key that signs: openssl pkey -in key.pem -pubout -out key.pub"
        raise ConfigError(f"--key: {error.message}", file=error.file, fix=fix) from None


@contextmanager
def _bar(*, quiet: bool) -> Iterator[None]:
    """A bar on a terminal; nothing elsewhere."""
    if quiet or not err.is_terminal:
        yield
        return
    columns = (TextColumn("{task.description}"), BarColumn(20), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        bar = progress.add_task("", total=None)

        def told(step: Step) -> None:
            progress.update(bar, description=step.text, total=step.total or None, completed=step.done)

        with listening(told):
            yield


def _print(found: Verdict, seconds: float) -> None:
    out.print(_figures(found))
    for n, p in enumerate(found.problems[:_SHOWN], 1):
        err.print(
            Text.assemble((f"✗ {n} {p.what}", "bold red"), f" {p.where}"), highlight=False, soft_wrap=True
        )
        lines = (("file", p.file), ("expected", p.expected), ("found", p.found), ("→", p.fix))
        for name, said in lines:
            if said:
                style = "cyan" if name == "→" else ""
                err.print(f"  {name} {said}", style=style, highlight=False, markup=False, soft_wrap=True)
    if len(found.problems) > _SHOWN:
        more = len(found.problems) - _SHOWN
        err.print(f"  and {more:,} more: --json has all of them", highlight=False)
    for odd in found.remarks:
        out.print(f"Odd: {odd}", style="yellow", highlight=False, markup=False, soft_wrap=True)
    for left in found.not_asked:
        out.print(f"Not asked: {left}", style="yellow", highlight=False, markup=False, soft_wrap=True)
    told = "Sound." if found.sound else f"{len(found.problems):,} problem(s)."
    out.print(f"{told} {seconds:.1f} s", style="bold" if found.sound else "bold red", highlight=False)


def _figures(found: Verdict) -> Table:
    table = Table(title=f"Verification of {found.platform}", title_justify="left")
    for head in ("what", "how many", "wrong"):
        table.add_column(head, justify="left" if head == "what" else "right")
    wrong = [p.what for p in found.problems]
    rate = found.bytes / 1e6 / found.reading_seconds if found.reading_seconds else 0.0
    read = (
        f"{found.files:,} files, {found.bytes / 1e6:,.0f} MB at {rate:,.0f} MB/s"
        if found.files
        else "not read"
    )
    signed = f", signed up to {found.signed_up_to:,}" if found.signed_up_to else ""
    rows = (
        ("artifacts in the store", f"{found.artifacts:,}", ("manifest", "stranger", "unreadable", "orphan")),
        ("their bytes", read, ("file",)),
        ("events of the registry", f"{found.events:,}{signed}", ("registry", "chain")),
        ("anchors", f"{found.anchors:,}", ()),
        ("artifacts on record", f"{found.rows:,}", ("lost", "parent")),
        ("version records, at all places", f"{found.records:,}", ("version record",)),
        ("erasures on record", f"{found.erasures:,}", ("erasure",)),
        ("claims about leakage", f"{found.proven:,}", ("leakage",)),
    )
    for what, count, kinds in rows:
        n = sum(wrong.count(kind) for kind in kinds)
        table.add_row(what, count, Text(str(n), style="bold red" if n else "green"))
    return table
