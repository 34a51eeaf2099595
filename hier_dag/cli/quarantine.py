"""`hier quarantine`: rows that a contract kept aside: list them, show them, run them again."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from hier_dag.cli.output import REFUSED, DomainsFile, Json, out, print_json
from hier_dag.cli.places import registry_of, state_of, state_to_change
from hier_dag.config import PlatformConfig
from hier_dag.errors import UsageError
from hier_dag.home import Home

if TYPE_CHECKING:
    from hier_dag.pipeline.workshop import Workshop
    from hier_dag.quarantine.held import Held
    from hier_dag.quarantine.mended import Mended

quarantine = typer.Typer(
    name="quarantine",
    no_args_is_help=True,
    help="Rows that a contract kept aside: list them, show them, run them again after a mended rule or file.",
)
Name = Annotated[str, typer.Argument(help="A domain, or `links` for what the domains share.")]


@quarantine.command("list")
def list_(domains: DomainsFile = None, as_json: Json = False) -> None:
    """Quarantined rows of every domain, by raw file and reason."""
    from hier_dag.quarantine.held import names, newest, summary

    config, home = state_of(domains)
    workshop = _workshop(home)
    held = [h for name in names(config) if (h := newest(config, workshop, name)) is not None]
    rows = [row for h in held for row in summary(h)]
    if as_json:
        print_json(rows)
        return
    if not held:
        out.print("Nothing has been ingested yet. Next: [bold]hier run[/]")
        return
    if not rows:
        out.print(
            f"No row is quarantined: all {sum(h.ledger.rows_in for h in held):,} rows are accounted for."
        )
        return
    table = Table(title="Quarantined rows", title_justify="left")
    for head in ("domain", "ingest", "file", "reason", "rows", "of file"):
        table.add_column(head, overflow="fold", justify="right" if head in ("rows", "of file") else "left")
    for r in rows:
        style = "red" if r["outcome"] == "refused" else ""
        cells = (r["domain"], Text(r["outcome"], style=style), r["file"], r["reason"])
        table.add_row(
            *(c if isinstance(c, Text) else Text(c) for c in cells), f"{r['rows']:,}", f"{r['share']:.2%}"
        )
    out.print(table)
    out.print("Next: [bold]hier quarantine show DOMAIN[/]")


@quarantine.command()
def show(
    domain: Name,
    reason: Annotated[str | None, typer.Option(help="Only rows that break this rule.")] = None,
    file: Annotated[
        str | None, typer.Option(help="Only rows of this raw file (the end of its name).")
    ] = None,
    limit: Annotated[int, typer.Option("-n", min=1, help="Rows to print.")] = 20,
    to: Annotated[
        Path | None, typer.Option("--out", help="Write all of them to a .csv, .jsonl or .parquet file.")
    ] = None,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Quarantined rows of a domain: raw file, row, every rule that they break, raw values, and the fix."""
    from hier_dag.ingest.reasons import REASONS
    from hier_dag.quarantine.export import write_rows
    from hier_dag.quarantine.held import SHARED, newest

    config, home = state_of(domains)
    held = newest(config, _workshop(home), domain)
    if held is None:
        raise UsageError(f"{domain} has not been ingested yet.", domain=domain, fix="run: hier run")
    if reason is not None and reason not in REASONS:
        raise UsageError(f"no reason is called {reason!r}.", fix=f"choose one of {', '.join(REASONS)}")
    rows = held.rows(reason, file)
    if to is not None:
        write_rows(rows, to)
    records = rows.slice(0, limit).to_pylist()
    if as_json:
        print_json({"domain": domain, "outcome": held.outcome, "artifact": held.digest, "rows": rows.num_rows,
                    "shown": records})  # fmt: skip
        return
    _print_rows(domain, held.outcome, rows.num_rows, records)
    feeds = SHARED if domain == SHARED else "events"
    for code in dict.fromkeys(r["reason"] for r in records):
        meaning = Text.assemble(
            (code, "bold"), f": {REASONS[code].meaning}. ", (f"→ {REASONS[code].fix_in(feeds)}", "cyan")
        )
        out.print(meaning, highlight=False, soft_wrap=True)
    if to is not None:
        out.print(Text.assemble(f"{rows.num_rows:,} rows in ", (str(to), "bold"), "."), soft_wrap=True)
        if domain == SHARED:
            out.print("Mend the file of the links itself, then: [bold]hier quarantine replay links[/]")
        elif rows.num_rows and to.suffix != ".parquet":
            again = f'hier quarantine replay {domain} --corrections {to} --why "…"'
            out.print(
                Text.assemble("Mend its values, then: ", (again, "bold")), highlight=False, soft_wrap=True
            )


def _print_rows(domain: str, outcome: str, total: int, records: list[dict[str, Any]]) -> None:
    title = f"{domain}: {len(records):,} of {total:,} quarantined rows ({outcome} ingest)"
    table = Table(title=Text(title, style="table.title"), title_justify="left")
    for head in ("file", "row", "reasons", "column", "raw"):
        table.add_column(head, overflow="fold", justify="right" if head == "row" else "left")
    for r in records:
        raw = r["raw"] if len(r["raw"]) <= 200 else r["raw"][:197] + "…"
        cells = (r["location"], str(r["row"]), ", ".join(r["reasons"]), r["column"] or "", raw)
        table.add_row(*(Text(c) for c in cells))
    out.print(table)


@quarantine.command()
def replay(
    domain: Name,
    corrections: Annotated[
        Path | None, typer.Option(help="Mended export of `hier quarantine show DOMAIN --out FILE`.")
    ] = None,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take back all recorded corrections first.")
    ] = False,
    why: Annotated[str | None, typer.Option(help="Why the values are corrected; recorded.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would become of the rows.")] = False,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Run a domain's rows again, after a rule or a file was mended or with corrected values."""
    from hier_dag.builds.trial import throwaway
    from hier_dag.quarantine.held import SHARED, newest
    from hier_dag.quarantine.mended import read_mended
    from hier_dag.quarantine.replay import corrections_of

    config, home = state_to_change(domains)
    workshop = _workshop(home)
    before = newest(config, workshop, domain)
    if before is None:
        raise UsageError(f"{domain} has not been ingested yet.", domain=domain, fix="run: hier run")
    if (corrections or withdraw) and domain == SHARED:
        raise UsageError("links take no corrections.", fix="mend the file of the links itself, then replay")
    if (corrections or withdraw) and why is None:
        raise UsageError("corrections need a reason.", fix='add --why "what was wrong with the rows"')
    mended = None
    if corrections is not None:
        mended = read_mended(corrections, before, corrections_of(workshop, domain))
    given = _Given(corrections, mended, withdraw, str(why))
    if dry_run:
        home.scratch.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=home.scratch, prefix="replay-") as folder,
            throwaway(config, workshop, Path(folder)) as trial,
        ):
            _record(trial, domain, given)
            refused = _try(config, trial, domain, Path(folder))
            after = newest(config, trial, domain)
    else:
        _record(workshop, domain, given)
        refused = _ingest(config, home, workshop, domain)
        after = newest(config, workshop, domain)
    _tell_replay(domain, before, after, refused, dry_run, given, as_json)
    if refused:
        raise typer.Exit(REFUSED)


@dataclass(frozen=True)
class _Given:
    """What a replay is given: the mended export and what it says, whether to withdraw, and why."""

    source: Path | None
    mended: Mended | None
    withdraw: bool
    why: str


def _record(workshop: Workshop, domain: str, given: _Given) -> None:
    from hier_dag.quarantine.replay import record_corrections, withdraw_corrections

    if given.withdraw:
        withdraw_corrections(workshop, domain, given.why)
    if given.mended is not None and given.mended.records and given.source is not None:
        record_corrections(workshop, domain, given.mended, given.source, given.why)


def _try(config: PlatformConfig, trial: Workshop, name: str, folder: Path) -> str | None:
    """Runs every contract of the domain's ingest without committing; the message where one refuses."""
    from hier_dag.builds.trial import try_raw
    from hier_dag.ingest.connection import connect
    from hier_dag.quarantine.held import SHARED

    checks = try_raw(config, trial, None if name == SHARED else name, partial(connect, folder))
    refused = [c for c in checks if c.outcome == "refused"]
    return f"{refused[0].message} Fix: {refused[0].fix}" if refused else None


def _ingest(config: PlatformConfig, home: Home, workshop: Workshop, name: str) -> str | None:
    """Runs the domain's ingest as a Dagster run; the message where it was refused."""
    from hier_dag.cli.run import open_dagster
    from hier_dag.orchestration.runner import FAILED, run, steps
    from hier_dag.pipeline.policy import policy_of
    from hier_dag.quarantine.held import SHARED

    partition = None if name == SHARED else name
    raw = [s for s in steps(config, workshop)[0] if s.partition == partition]
    (done,) = run(lambda: open_dagster(config, home), [raw], workshop, policy_of(config, home.root))
    return done.message if done.outcome == FAILED else None


def _tell_replay(
    domain: str,
    before: Held,
    after: Held | None,
    refused: str | None,
    dry_run: bool,
    given: _Given,
    as_json: bool,
) -> None:
    from hier_dag.quarantine.replay import compare

    # Where a file could not even be read, what is newest is what was before.
    judged = after is not None and not (refused and after.digest == before.digest)
    lines = compare(before.ledger, after.ledger) if judged and after is not None else []
    mended = given.mended
    changed = {} if mended is None else {"corrected": len(mended.records), "unchanged": mended.unchanged}
    if as_json:
        print_json({"domain": domain, "dry_run": dry_run, "refused": refused, "rows": lines, **changed})
        return
    title = f"{domain}: rows before and after" + (" (nothing was committed)" if dry_run else "")
    table = Table(title=Text(title, style="table.title"), title_justify="left")
    for head in ("rows", "before", "after", "change"):
        table.add_column(head, justify="left" if head == "rows" else "right")
    for line in lines:
        difference = line["after"] - line["before"]
        change = f"{difference:+,}" if difference else ""
        table.add_row(Text(line["what"]), f"{line['before']:,}", f"{line['after']:,}", change)
    if lines:
        out.print(table)
    if changed:
        out.print(f"{changed['corrected']:,} row(s) corrected, {changed['unchanged']:,} left as they were.")
    if refused:
        out.print(Text.assemble(("✗ ", "bold red"), refused), highlight=False, soft_wrap=True)
    else:
        out.print("Next: " + ("the same without --dry-run" if dry_run else "[bold]hier run[/]"))


def _workshop(home: Home) -> Workshop:
    from hier_dag.pipeline.workshop import Workshop
    from hier_dag.store import ArtifactStore

    return Workshop(ArtifactStore(home.store), registry_of(home))
