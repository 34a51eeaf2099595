"""`hier reproduce`: an artifact built again from what its manifest records, and compared."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from hier_dag.cli.output import REFUSED, DomainsFile, Json, err, out, print_json, readable
from hier_dag.cli.places import registry_of, stores_of
from hier_dag.config import PlatformConfig, load_config
from hier_dag.errors import ConfigError, UsageError
from hier_dag.home import home_at, named_domains_file, working_folder
from hier_dag.names import title_of

if TYPE_CHECKING:
    from hier_dag.registry import Decision
    from hier_dag.reproduce.certificate import Certificate
    from hier_dag.reproduce.declared import RawPlace
    from hier_dag.store import ArtifactStore, Manifest

_SHORT = 12
_SHOWN = 8  # distributions named


class Device(StrEnum):
    """Where training may run."""

    CPU = "cpu"
    CUDA = "cuda"


def reproduce(
    digest: Annotated[str | None, typer.Argument(help="Digest of an artifact, or its beginning.")] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Build all that it was made of, too, from raw files on.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where raw files lie now; default: `data` of the declaration."),
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also what another version of the code made.")
    ] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default: as many as then.")] = None,
    device: Annotated[Device | None, typer.Option(help="Of training; default: the one of then.")] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Certificates so far; nothing is built.")
    ] = False,
    classes: Annotated[
        bool, typer.Option("--classes", help="What each kind of artifact promises; nothing is built.")
    ] = False,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Build an artifact again from its recorded inputs, compare, and put a certificate on record."""
    if classes:
        _print_classes(as_json)
        return
    if digest is None:
        raise UsageError("DIGEST is missing.", fix="give it, or its beginning: hier reproduce DIGEST")
    from hier_dag.audit.find import find
    from hier_dag.registry.connection import is_read_only
    from hier_dag.reproduce.certificate import certificates_of, put_on_record
    from hier_dag.reproduce.reproduce import reproduce as again

    stores = stores_of(domains)
    place = find(stores, readable(digest, "DIGEST"), _kinds(stores))
    home = home_at(place.platform)
    registry = registry_of(home)
    if history:
        _print_history(certificates_of(registry, place.digest), as_json)
        return
    made, recorded = [], not is_read_only(home.registry_url)
    with working_folder(home) as scratch:
        for certificate in again(
            stores[place.platform],
            registry,
            place.kind,
            place.digest,
            scratch,
            raw=_raw(data, domains, place.platform),
            deep=deep,
            anyway=anyway,
            threads=threads,
            device=None if device is None else device.value,
            started=_started,
        ):
            if recorded:
                put_on_record(registry, certificate)
            made.append(certificate)
            if not as_json:
                out.print(_told(certificate), highlight=False, soft_wrap=True)
    if not recorded:
        err.print("The registry may only be read: no certificate is on record.", style="yellow")
    if as_json:
        print_json([c.as_json() for c in made] if deep else made[-1].as_json())
    if not all(c.holds for c in made):
        raise typer.Exit(REFUSED)


def _started(m: Manifest) -> None:
    err.print(f"{title_of(m.kind, m.partition)} …", markup=False)


def _kinds(stores: dict[str, ArtifactStore]) -> tuple[str, ...]:
    """Every kind of artifact that is there."""
    folders = {p for store in stores.values() for p in (store.root / "artifacts").glob("*/*") if p.is_dir()}
    return tuple(sorted({f"{p.parent.name}/{p.name}" for p in folders}))


def _raw(data: Path | None, domains: str | None, platform: str) -> RawPlace:
    """Where raw files lie, and URLs of databases with what is secret in them."""
    from hier_dag.reproduce.declared import RawPlace

    config = _declaration(domains, platform)
    folder = data.expanduser().resolve() if data else None if config is None else config.data_dir()
    return RawPlace(folder, {} if config is None else _urls(config))


def _declaration(domains: str | None, platform: str) -> PlatformConfig | None:
    """The platform's declaration, where one is named and can be read; nothing of it decides what is built."""
    file = Path(domains) if domains else named_domains_file()
    if file is None:
        return None
    try:
        config = load_config(file)
    except ConfigError:
        if domains:
            raise
        return None
    return config if config.platform == platform else None


def _urls(config: PlatformConfig) -> dict[str, str]:
    from hier_dag.ingest.sql import location

    sources: list[Any] = [s for d in config.domains.values() for s in (*d.sources, *d.catalogue)]
    sources += [s for kind in type(config.links).model_fields for s in getattr(config.links, kind)]
    return {location(s): str(s.sql) for s in sources if s.sql is not None}


def _told(c: Certificate) -> Text:
    """A certificate in words."""
    style = "green" if c.holds else "bold red"
    mark = "✓" if c.holds else "✗"
    text = Text.assemble(
        (f"{mark} {c.verdict}", style), " ", (c.title, "cyan"), f" {c.digest[:_SHORT]} · {c.files} files",
        f" · {c.seconds:.1f} s",
    )  # fmt: skip
    for line in _lines(c):
        text.append(f"\n  {line}")
    return text


def _lines(c: Certificate) -> list[str]:
    lines = []
    if c.conditions:
        lines.append(f"not as it was then: {', '.join(c.conditions)}; promised: {c.promise.level}")
    if c.then.threads != c.now.threads and "threads" in c.conditions:
        lines.append(f"threads: {c.then.threads} then, {c.now.threads} now")
    for when, names in c.distributions.items():
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            lines.append(f"only {when}: {', '.join(names[:_SHOWN])}{more}")
    if c.differing:
        lines.append(f"{len(c.differing)} of {c.files} files differ: {', '.join(c.differing[:_SHOWN])}")
    if c.difference is not None:
        d = c.difference
        where = f", column {d.column}" if d.column else ""
        where += f", row {d.row}" if d.row is not None else ""
        lines.append(f"first in {d.file}{where}: {d.recorded} recorded, {d.now} now")
    if c.figures is not None:
        f = c.figures
        overlap = "" if f.overlap is None else f", of the ten best {100 * f.overlap:.1f} % the same"
        lines.append(f"vectors: at most {f.max_abs:.2g} apart, {f.max_rel:.2g} of the largest entry{overlap}")
    return lines


def _print_history(found: list[Decision], as_json: bool) -> None:
    if as_json:
        print_json([{**d.facts, "who": d.who, "at": d.created_at.isoformat()} for d in found])
        return
    if not found:
        out.print("no certificate yet: hier reproduce DIGEST makes one")
        return
    table = Table(title="Built again", title_justify="left")
    for head in ("when", "who", "verdict", "conditions", "threads", "code", "seconds"):
        table.add_column(head)
    for d in found:
        c = d.facts
        table.add_row(
            f"{d.created_at:%Y-%m-%d %H:%M:%S}", d.who, c["verdict"], ", ".join(c["conditions"]) or "–",
            f"{c['then']['threads'] or '–'} → {c['now']['threads'] or '–'}", c["now"]["commit"][:_SHORT],
            f"{c['seconds']:.1f}",
        )  # fmt: skip
    out.print(table)


def _print_classes(as_json: bool) -> None:
    from hier_dag.reproduce.classes import CONDITIONS, PROMISES, TOLERANCE

    if as_json:
        print_json({k: {c: p.as_json() for c, p in row.items()} for k, row in PROMISES.items()})
        return
    table = Table(title="What an artifact that is built again promises", title_justify="left")
    for head in ("kind", *CONDITIONS):
        table.add_column(head)
    for kind, row in PROMISES.items():
        cells = [
            f"≤ {p.max_rel:g}, ≥ {100 * p.min_overlap:g} %" if p.level == TOLERANCE else p.level
            for p in (row[condition] for condition in CONDITIONS)
        ]
        table.add_row(kind, *cells)
    out.print(table)
    for name, what in CONDITIONS.items():
        out.print(f"{name}: {what}", markup=False, highlight=False)
    out.print(
        "Bounds: largest difference against the largest entry of an array; share of the ten best items that "
        "both find. They are of vectors and weights; what does not follow from these must agree.",
        markup=False,
        highlight=False,
    )
