"""`hier waive` and `hier approve`: decisions that let a refused set go live, with who, why and until when."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from hier_dag.cli.output import DomainsFile, Json, out, print_json, readable, reason
from hier_dag.errors import UsageError

if TYPE_CHECKING:
    from hier_dag.registry import Decision, Registry

Why = Annotated[str, typer.Option("--why", help="The reason, for the history.")]
Until = Annotated[
    str | None, typer.Option("--until", metavar="DATE", help="The last day, UTC, or a date and time.")
]


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
    made = workshop.registry.decide(domain, WAIVER, subject, why=reason(why), until=end)
    of = (
        f"its newest model ({subject[:12]})" if end is None else f"every model until {end:%Y-%m-%d %H:%M} UTC"
    )
    _tell(made, f"{domain}: {of} may go live although transfer loses. Publish it: hier run", as_json)


def approve(
    domain: Annotated[str, typer.Argument(help="A target domain.")],
    why: Why,
    chosen: Annotated[
        str | None,
        typer.Option(
            "--set", metavar="DIGEST", help="The set, or how its digest begins; default: the newest."
        ),
    ] = None,
    until: Until = None,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Let one set of a target go live although its vectors are of another space than the live ones.

    The refusal names the set: by the time somebody decides, a newer one may have been made.
    """
    from hier_dag.cli.places import target_of
    from hier_dag.pipeline.stages import PUBLISHED
    from hier_dag.registry.decisions import APPROVAL

    config, _, workshop = target_of(readable(domain, "DOMAIN"), domains)
    _target(config.target_names, domain)
    newest = workshop.registry.latest(PUBLISHED, domain)
    if newest is None:
        raise UsageError(f"{PUBLISHED}[{domain}] has not been made yet.", domain=domain, fix="run: hier run")
    digest = newest if chosen is None else set_of(workshop.registry, domain, chosen)
    made = workshop.registry.decide(domain, APPROVAL, digest, why=reason(why), until=moment(until))
    _tell(
        made, f"{domain}: the set {digest[:12]} may go live in its own space. Publish it: hier run", as_json
    )


def set_of(registry: Registry, domain: str, beginning: str) -> str:
    """Digest of the domain's set on record that begins so.

    Raises:
        UsageError: too little of it is given, there is none, or there are several.
    """
    from hier_dag.pipeline.stages import PUBLISHED
    from hier_dag.retention.records import records_of

    if re.fullmatch(r"[0-9a-f]{8,64}", beginning) is None:
        raise UsageError(
            f"--set {beginning!r} is no digest.", domain=domain, fix="give its first 8 to 64 hex digits"
        )
    known = records_of(registry, datetime.now(UTC)).artifacts
    found = [
        digest
        for digest, a in known.items()
        if digest.startswith(beginning)
        and (a.kind, a.partition) == (PUBLISHED, domain)
        and registry.asked_at(digest)
    ]
    if len(found) == 1:
        return found[0]
    problem = f"{len(found)} sets begin with" if found else "no set on record begins with"
    fix = "give more of it" if found else "take it from the message of the refused step, or leave --set out"
    raise UsageError(f"{problem} {beginning}.", domain=domain, fix=fix)


def moment(text: str | None) -> datetime | None:
    """The end that `--until` gives: of a day, or a date and time; UTC unless it says otherwise.

    Raises:
        UsageError: it is none, or has passed.
    """
    from hier_dag.retention.history import parsed

    if text is None:
        return None
    found = parsed(text)
    if found <= datetime.now(UTC):
        raise UsageError(f"--until {text!r} has passed.", fix="give a later day, or leave --until out")
    return found


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
