"""What `hier forget` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from hier_dag.cli.output import out
from hier_dag.names import title_of

if TYPE_CHECKING:
    from hier_dag.erasure.receipt import Receipt
    from hier_dag.erasure.sinks import AtSink
    from hier_dag.erasure.status import Kept, Stale
    from hier_dag.erasure.verify import Proof
    from hier_dag.publish.sinks.params import LanceSink, PgVectorSink

_SHORT = 12
_SHOWN = 10  # ids


def say(words: str, style: str = "") -> None:
    """Prints a line that may be copied."""
    out.print(words, style=style, highlight=False, markup=False, soft_wrap=True)


def say_problems(problems: Sequence[str]) -> None:
    """Prints what is wrong."""
    for problem in problems:
        say(problem, "red")


def say_done(made: Receipt, nowhere: Sequence[str], stale: Sequence[Stale], now: bool) -> None:
    """Prints what an erasure did; `nowhere` are ids that no artifact has."""
    holds = sum(1 for a in made.artifacts if a["grade"] == "holds")
    say(
        f"{made.users:,} user(s) erased: {holds} artifact(s) held them, {len(made.artifacts) - holds} learnt "
        "of them."
    )
    if nowhere:
        shown = ", ".join(map(repr, nowhere[:_SHOWN])) + (", …" if len(nowhere) > _SHOWN else "")
        say(
            f"{len(nowhere):,} of these ids stand nowhere here: {shown}. Are they as the logs have them, "
            "spaces and zeros included? Whoever comes with such an id is left out from now on.",
            "yellow",
        )
    for version in made.versions:
        number, digest = version["after"]["version"], version["after"]["digest"][:_SHORT]
        say(f"{version['domain']}: {version['alias']} is version {number} now ({digest}), without them")
    if made.removed:
        say(f"{len(made.removed)} artifact(s) went. Readers that have one open keep it until they refresh.")
    if made.redacted:
        say(f"Facts of {made.redacted} check(s) showed rows of theirs and were redacted.")
    for file in made.elsewhere:
        say(f"their ids still stand in {file}", "yellow")
    for failed in made.told:
        say(f"not told yet: {failed}", "yellow")
    if made.told:
        say("Tell them again: hier forget --finish")
    if not now:
        say_stale(stale)
    say(f"Receipt {made.id}. Prove it: hier forget --verify {made.id}")


def say_stale(stale: Sequence[Stale]) -> None:
    """Prints what awaits re-training."""
    if stale:
        parts: dict[str, list[str]] = {}
        for one in stale:
            parts.setdefault(one.kind, []).extend([one.partition] if one.partition else [])
        named = [f"{kind} ({', '.join(of)})" if of else kind for kind, of in parts.items()]
        say(f"Made anew at the next hier run: {', '.join(named)}.")
    else:
        say("Nothing awaits re-training.")


def say_kept(kept: Sequence[Kept]) -> None:
    """Prints what stays for an alias, and how it would go."""
    for one in kept:
        title = title_of(one.kind, one.partition)
        say(
            f"{title} {one.digest[:_SHORT]} still holds erased users: what {one.alias} of {one.domain} names "
            f"was made of it. Name another version (hier alias {one.domain} {one.alias} …), then: "
            "hier forget --finish",
            "yellow",
        )


def say_proven(receipt: str, proof: Proof, about: bool) -> None:
    """Prints that a receipt holds; `about` says that it was asked about a user."""
    sinks = f", nor in any table of the {proof.sinks} sink(s)" if proof.sinks else ""
    say(
        f"Proven: receipt {receipt} is on record unaltered; none of its users is in any of the "
        f"{proof.sets} set(s) in force{sinks}.{' It is about that user.' if about else ''}"
    )


def say_sinks(sinks: Sequence[AtSink]) -> None:
    """Prints what sinks hold of erased users."""
    for sink in sinks:
        for problem in sink.problems:
            say(problem, "yellow")
        if not sink.problems:
            say(f"{sink.sink} {sink.place}: no erased user in its {sink.tables} table(s) of users")


def say_beyond(sinks: Sequence[PgVectorSink | LanceSink]) -> None:
    """Prints what sinks keep of removed rows where no erasure gets to."""
    from hier_dag.publish.sinks.beyond import kept_beyond_reach, place_of

    for params in sinks:
        where = f"{params.type} {place_of(params)}"
        say(f"{where}: not reached: {kept_beyond_reach(params)}; whoever runs it lets them expire", "yellow")


def erasures_table(made: Sequence[Mapping[str, Any]]) -> None:
    """Prints every erasure on record."""
    states = {True: "carried out", False: "ended early: forget them again"}
    rows = [
        (d["receipt"], f"{d['at']:%Y-%m-%d %H:%M}", d["who"], d["users"], states[d["finished"]], d["why"])
        for d in made
    ]
    _print(("receipt", "at", "who", "users", "state", "why"), rows)


def standing_table(artifacts: Sequence[Mapping[str, Any]]) -> None:
    """Prints where each artifact of an erasure stands."""
    rows = [
        (a["kind"], a["partition"] or "", a["digest"][:_SHORT], a["holds"], a["learnt"], a["state"])
        for a in artifacts
    ]
    _print(("artifact", "partition", "digest", "holds", "learnt of", "state"), rows)


def _print(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    table = Table()
    for head in heads:
        table.add_column(head)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    out.print(table)
