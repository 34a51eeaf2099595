"""`hier pin` and `hier unpin`: a version's set stays in the store, and need not any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from hier_dag.cli.decide import moment
from hier_dag.cli.output import DomainsFile, Json, out, print_json, readable, reason

if TYPE_CHECKING:
    from hier_dag.registry import AliasRow, Decision

Name = Annotated[str, typer.Argument(help="A published target domain.")]
Version = Annotated[
    int | None, typer.Option(metavar="V", help="Version of `live`; default: the one that is live now.")
]
Why = Annotated[str, typer.Option(help="Why, in words; recorded.")]
_SHORT = 12


def pin(
    domain: Name,
    why: Why,
    version: Version = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="The last day, UTC, or a date and time; default: for good."),
    ] = None,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Keep the set of a version in the store, with everything it was made from: `hier gc` leaves it alone."""
    from hier_dag.cli.places import registry_of, state_to_change
    from hier_dag.retention import pins
    from hier_dag.retention.history import shown
    from hier_dag.store import ArtifactStore

    end = moment(until)
    config, home = state_to_change(domains)
    registry = registry_of(home)
    row = pins.version_of(registry, readable(domain, "DOMAIN"), version, config.target_names)
    made = pins.pin(ArtifactStore(home.store), registry, row, why=reason(why), until=end)
    if as_json:
        _print(row, made, pinned=True)
        return
    _tell(row, f"is pinned {'for good' if end is None else f'until {shown(end)}'}: {why}")
    out.print(
        Text.assemble(
            "To take it back: ", (f'hier unpin {domain} --version {row.version} --why "…"', "bold")
        ),
        soft_wrap=True,
    )


def unpin(
    domain: Name, why: Why, version: Version = None, domains: DomainsFile = None, as_json: Json = False
) -> None:
    """Take a pin back: the set goes with the next `hier gc --delete` unless something else keeps it."""
    from hier_dag.cli.places import registry_of, state_to_change
    from hier_dag.retention import pins

    config, home = state_to_change(domains)
    registry = registry_of(home)
    row = pins.version_of(registry, readable(domain, "DOMAIN"), version, config.target_names)
    made = pins.unpin(registry, row, why=reason(why))
    if as_json:
        _print(row, made, pinned=False)
        return
    _tell(row, f"is not pinned any more: {why}")


def _print(row: AliasRow, made: Decision, *, pinned: bool) -> None:
    """A pin, or that it is taken back, as JSON; `until` is null for good."""
    about = {"domain": row.domain, "version": row.version, "digest": row.digest, "pinned": pinned}
    print_json({**about, **{name: getattr(made, name) for name in ("until", "who", "why", "created_at")}})


def _tell(row: AliasRow, what: str) -> None:
    told = Text.assemble((row.domain, "bold"), f" version {row.version} ({row.digest[:_SHORT]}) {what}")
    out.print(told, highlight=False, soft_wrap=True)
