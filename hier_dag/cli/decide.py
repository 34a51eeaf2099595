"""`hier waive` and `hier approve`: decisions that let a refused set go live, with who, why and until when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from hier_dag.cli.output import DomainsFile, Json, out, print_json, readable
from hier_dag.errors import UsageError

if TYPE_CHECKING:
    from hier_dag.registry import Decision

Why = Annotated[str, typer.Option("--why", help="The reason, for the history.")]
Until = Annotated[str | None, typer.Option("--until", help="ISO date or time at which it ends (UTC).")]


def waive(
    domain: Annotated[str, typer.Argument(help="A target domain.")],
    why: Why,
    until: Until = None,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Let a target go live although transfer loses to a baseline there.

    Without an end the waiver covers its newest model alone; with one, every model until then.
    """
    from hier_dag.cli.places import target_of
    from hier_dag.pipeline.stages import MODEL
    from hier_dag.publish.gates import EVERY_MODEL
    from hier_dag.registry.decisions import WAIVER

    config, _, workshop = target_of(readable(domain, "DOMAIN"), domains)
    _target(config.target_names, domain)
    end = moment(until)
    subject = workshop.registry.latest(MODEL, domain) if end is None else EVERY_MODEL
    if subject is None:
        raise UsageError(f"{MODEL}[{domain}] has not been made yet.", domain=domain, fix="run: hier run")
    made = workshop.registry.decide(domain, WAIVER, subject, why=_reason(why), until=end)
    of = (
        f"its newest model ({subject[:12]})" if end is None else f"every model until {end:%Y-%m-%d %H:%M} UTC"
    )
    _tell(made, f"{domain}: {of} may go live although transfer loses. Publish it: hier run", as_json)


def approve(
    domain: Annotated[str, typer.Argument(help="A target domain.")],
    why: Why,
    until: Until = None,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Let a target's newest set go live although its vectors are of another space than the live ones."""
    from hier_dag.cli.places import target_of
    from hier_dag.pipeline.stages import PUBLISHED
    from hier_dag.registry.decisions import APPROVAL

    config, _, workshop = target_of(readable(domain, "DOMAIN"), domains)
    _target(config.target_names, domain)
    digest = workshop.registry.latest(PUBLISHED, domain)
    if digest is None:
        raise UsageError(f"{PUBLISHED}[{domain}] has not been made yet.", domain=domain, fix="run: hier run")
    made = workshop.registry.decide(domain, APPROVAL, digest, why=_reason(why), until=moment(until))
    _tell(
        made, f"{domain}: the set {digest[:12]} may go live in its own space. Publish it: hier run", as_json
    )


def moment(text: str | None) -> datetime | None:
    """An ISO 8601 date or time that lies ahead, in UTC unless it says otherwise.

    Raises:
        UsageError: it is none, or has passed.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--until {text!r} is no ISO 8601 date.", fix="such as 2027-01-31") from None
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    if found <= datetime.now(UTC):
        raise UsageError(f"--until {text!r} has passed.", fix="give a later date, or leave it out")
    return found


def _reason(why: str) -> str:
    if not why.strip():
        raise UsageError("a decision needs a reason.", fix='say it with --why "…"')
    return why


def _target(targets: tuple[str, ...] | list[str], domain: str) -> None:
    if domain not in targets:
        raise UsageError(
            f"{domain!r} is no target of this platform.", fix=f"targets are {', '.join(targets)}"
        )


def _tell(made: Decision, words: str, as_json: bool) -> None:
    if as_json:
        print_json({name: getattr(made, name) for name in type(made).__annotations__})
    else:
        out.print(words, highlight=False, markup=False, soft_wrap=True)
