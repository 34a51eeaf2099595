"""`hier forget`: erases users, says what is still to be made anew, and proves receipts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hier_dag.cli.forget_view import (
    erasures_table,
    say_beyond,
    say_done,
    say_kept,
    say_problems,
    say_proven,
    say_sinks,
    say_stale,
    standing_table,
)
from hier_dag.cli.output import REFUSED, DomainsFile, Json, print_json, readable, reason
from hier_dag.errors import UsageError

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

    from hier_dag.erasure.status import Stale
    from hier_dag.home import Home
    from hier_dag.pipeline.policy import Policy
    from hier_dag.pipeline.workshop import Workshop


def forget(
    users: Annotated[
        list[str] | None,
        typer.Argument(metavar="[USER]...", help="Ids as the logs have them."),
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="Ids, one a line.")] = None,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record, without the id.")] = "",
    keep_old: Annotated[bool, typer.Option("--keep-old", help="Leave old sets to hier gc.")] = False,
    now: Annotated[bool, typer.Option("--now", help="Make everything anew at once.")] = False,
    copy_to: Annotated[Path | None, typer.Option("--out", help="A further place for the receipt.")] = None,
    status: Annotated[bool, typer.Option("--status", help="What awaits re-training.")] = False,
    receipt: Annotated[
        str | None, typer.Option("--receipt", help="With --status: what of one erasure, by file or id.")
    ] = None,
    finish: Annotated[
        bool, typer.Option("--finish", help="Tell who was down; remove what has been made anew.")
    ] = False,
    verify: Annotated[
        str | None, typer.Option("--verify", metavar="RECEIPT", help="Prove a receipt, by file or id.")
    ] = None,
    user: Annotated[str | None, typer.Option("--user", help="With --verify: whom it is about.")] = None,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Erase users: out of every set in force at once, and out of whatever is built from now on."""
    if sum((bool(users or file), status, finish, verify is not None)) != 1:
        raise UsageError(
            "say whom to forget, or one of --status, --finish and --verify.", fix="hier forget USER --why …"
        )
    if status:
        _status(domains, receipt, as_json)
    elif finish:
        _finish(domains, now, as_json)
    elif verify is not None:
        _verify(domains, verify, user, as_json)
    else:
        _forget(domains, _ids(users or [], file), reason(why), keep_old, now, copy_to, as_json)


def _ids(users: list[str], file: Path | None) -> list[str]:
    given = [readable(user, "USER") for user in users]
    if file is None:
        return given
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(f"--file cannot be read: {e}", file=str(file), fix="one id a line, UTF-8") from None
    return given + [line.removesuffix("\r") for line in lines if line.strip()]


def _forget(
    domains: str | None,
    ids: list[str],
    why: str,
    keep_old: bool,
    now: bool,
    copy_to: Path | None,
    as_json: bool,
) -> None:
    from hier_dag.erasure.forget import forget as erase
    from hier_dag.erasure.receipt import write_receipt
    from hier_dag.erasure.status import stale_because_of_erasures

    with _platform(domains) as (home, workshop, policy, con):
        done = erase(con, workshop, policy, ids, why=why, keep_old=keep_old)
        if copy_to is not None:
            write_receipt(done.receipt, copy_to)
        stale = stale_because_of_erasures(workshop.registry, workshop.store, home.root)
    if not as_json:
        say_done(done.receipt, done.nowhere, stale, now)
        say_beyond(policy.sinks)
    problems: list[str] = []
    if now:
        problems, stale = _make_anew(domains)
    if as_json:
        said = {"receipt": {**asdict(done.receipt), "sha256": done.receipt.digest}, "problems": problems}
        print_json({**said, "nowhere": done.nowhere, "stale": [asdict(s) for s in stale]})
    elif now:
        say_stale(stale)
    _end(problems, as_json)


def _finish(domains: str | None, now: bool, as_json: bool) -> None:
    from hier_dag.erasure.status import kept_for_aliases

    problems, stale = _make_anew(domains, run=now)
    with _platform(domains, only_read=True) as (home, workshop, _, _):
        kept = kept_for_aliases(workshop.registry, workshop.store, home.root)
    if as_json:
        print_json(
            {"stale": [asdict(s) for s in stale], "kept": [asdict(k) for k in kept], "problems": problems}
        )
    else:
        say_kept(kept)
        say_stale(stale)
    _end(problems, as_json)


def _make_anew(domains: str | None, run: bool = True) -> tuple[list[str], list[Stale]]:
    """Runs the pipeline if asked to, then removes what has been made anew; problems, and what is stale."""
    from hier_dag.erasure.finish import finish
    from hier_dag.erasure.status import stale_because_of_erasures

    problems = _run(domains) if run else []
    with _platform(domains) as (home, workshop, policy, con):
        problems += finish(con, workshop, policy)
        return problems, stale_because_of_erasures(workshop.registry, workshop.store, home.root)


def _run(domains: str | None) -> list[str]:
    from hier_dag.cli.run import run_pipeline
    from hier_dag.home import last_domains_file
    from hier_dag.orchestration.runner import MADE, REUSED

    results, _ = run_pipeline(Path(domains) if domains else last_domains_file(), quiet=True)
    return [f"{d.step.title}: {d.message}" for d in results if d.outcome not in (MADE, REUSED)]


def _status(domains: str | None, name: str | None, as_json: bool) -> None:
    from hier_dag.erasure.receipt import find_receipt
    from hier_dag.erasure.sinks import look_at_sinks
    from hier_dag.erasure.status import kept_for_aliases, recorded, stale_because_of_erasures, standing

    with _platform(domains, only_read=True) as (home, workshop, policy, con):
        registry, store = workshop.registry, workshop.store
        made = recorded(registry)
        stale = stale_because_of_erasures(registry, store, home.root)
        one = None if name is None else find_receipt(home.root, name)
        artifacts = [] if one is None else standing(registry, store, one, home.root)
        erased = workshop.erasures.erased()
        kept = kept_for_aliases(registry, store, home.root)
        sinks = [] if erased is None else look_at_sinks(con, policy, erased)
    if as_json:
        said = {"erasures": made, "stale": [asdict(s) for s in stale], "artifacts": artifacts}
        print_json({**said, "sinks": [s.as_json() for s in sinks], "kept": [asdict(k) for k in kept]})
        return
    if one is None:
        erasures_table(made)
    else:
        standing_table(artifacts)
    say_sinks(sinks)
    say_kept(kept)
    say_stale(stale)


def _verify(domains: str | None, name: str, user: str | None, as_json: bool) -> None:
    from hier_dag.erasure.receipt import find_receipt
    from hier_dag.erasure.verify import verify

    with _platform(domains, only_read=True) as (home, workshop, policy, con):
        receipt = find_receipt(home.root, name)
        proof = verify(con, workshop, policy, receipt, user)
    if as_json:
        about = {"sets": proof.sets, "sinks": proof.sinks, "problems": proof.problems}
        print_json({"receipt": receipt.id, "holds": not proof.problems, **about})
    elif not proof.problems:
        say_proven(receipt.id, proof, user is not None)
        say_beyond(policy.sinks)
    _end(proof.problems, as_json)


def _end(problems: list[str], as_json: bool) -> None:
    if problems:
        if not as_json:
            say_problems(problems)
        raise typer.Exit(REFUSED)


@contextmanager
def _platform(
    domains: str | None, *, only_read: bool = False
) -> Iterator[tuple[Home, Workshop, Policy, Backend]]:
    from hier_dag.cli.places import registry_of, state_of, state_to_change
    from hier_dag.home import working_folder
    from hier_dag.ingest.connection import connect
    from hier_dag.pipeline.policy import policy_of
    from hier_dag.pipeline.workshop import Workshop
    from hier_dag.store import ArtifactStore

    config, home = (state_of if only_read else state_to_change)(domains)
    workshop = Workshop(ArtifactStore(home.store), registry_of(home))
    with working_folder(home) as scratch, connect(scratch) as con:
        yield home, workshop, policy_of(config, home.root), con
    workshop.registry.close()
