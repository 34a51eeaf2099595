"""How commands speak: tables and messages for people, JSON for programs."""

from __future__ import annotations

import io
import json
import os
import sys
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from hier_dag.cli.plain_console import PlainConsole
from hier_dag.errors import ConfigError, HierError, UsageError

# Where nobody looks at a terminal (a log, a pipe), tables take the width they need instead of 80 columns.
WIDTH_OF_A_LOG = 110
_WIDTH = None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDTH_OF_A_LOG
# Ids may hold `:heart:` and the like: they are shown as they are.
out = PlainConsole(width=_WIDTH, emoji=False)
err = PlainConsole(stderr=True, emoji=False)

REFUSED, MISUSED = 1, 2
LONGEST_REASON = 2_000
"""Characters of `--why`: a version's record, which every reader fetches, holds it."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
DomainsFile = Annotated[
    str | None,
    typer.Option("--domains", help="domains.yaml; default: HIER_DOMAINS, else the one that was run last."),
]


def print_json(value: Any) -> None:
    """Prints a value as JSON on standard output; instants as ISO 8601."""
    out.file.write(json.dumps(value, ensure_ascii=False, indent=1, default=_plain) + "\n")


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def print_whatever_it_holds() -> None:
    """Lets standard output escape what its encoding lacks, such as bytes of a path that are not UTF-8."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def readable(argument: str, name: str, fix: str = "give the id in UTF-8, as it was published") -> str:
    """An argument, refused where its bytes are not UTF-8: no published id can be called so.

    Raises:
        UsageError: naming the argument.
    """
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{name} {argument!r} is not UTF-8.", fix=fix) from None
    return argument


def reason(why: str) -> str:
    """What `--why` says, fit to be recorded.

    Raises:
        UsageError: it says nothing, is not UTF-8, or is longer than 2,000 characters.
    """
    if not why.strip():
        raise UsageError("--why says nothing: what is recorded needs a reason.", fix='say it: --why "…"')
    if len(why) > LONGEST_REASON:
        raise UsageError(
            f"--why has {len(why):,} characters, at most {LONGEST_REASON:,} are recorded.",
            fix="say it in short, and where the rest can be read",
        )
    return readable(why, "--why", fix="say it in UTF-8")


def exit_code(error: HierError) -> int:
    """2 for usage and configuration, 1 for everything that refused."""
    return MISUSED if isinstance(error, ConfigError | UsageError) else REFUSED


def print_error(error: HierError) -> None:
    """Prints what is wrong, where, and what to do; lines are never broken, so that paths can be copied."""
    head = Text.assemble((f"✗ {error.code}", "bold red"), " ")
    where = [
        Text.assemble(f"{k} ", (str(v), "bold"))
        for k in ("domain", "file", "column")
        if (v := getattr(error, k))
    ]
    err.print(head + Text(", ").join(where), highlight=False, soft_wrap=True)
    err.print(f"  {error.message}", highlight=False, markup=False, soft_wrap=True)
    if error.fix:
        err.print(f"  → {error.fix}", style="cyan", highlight=False, markup=False, soft_wrap=True)
