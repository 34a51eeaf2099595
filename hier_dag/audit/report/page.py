"""The lineage report as a page: first what is live and whether all is well, then where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hier_dag.audit.card.parts import BAD, GOOD, SOFT, WORDS, Cell, Page, Part, Table

_SHORT = 12
_FOLDED = 12  # rows: longer tables are shown closed
_NONE = Cell("–", kind=SOFT)
Record = Mapping[str, Any]


def report_page(report: Record) -> Page:
    """The page of what `platform_report` gives."""
    chain = report["chain"]
    failed = sum(len(live["failed"]) for live in report["live"])
    return Page(
        title=f"Lineage of platform {report['platform']}",
        lead=f"What is in force as of event {chain['head']['seq']:,} of the registry, and all it came from.",
        verdict=(_soundness(chain), _checks_in_words(report, failed)),
        chips=(
            f"{len(report['live'])} live",
            f"{len(report['artifacts'])} artifacts",
            f"{len(report['raw_files'])} raw files",
            f"{chain['events']:,} events",
        ),
        parts=(_live(report), _chains(report), _decisions(report), _artifacts(report), _raw(report),
               _registry(chain)),
    )  # fmt: skip


def _soundness(chain: Record) -> str:
    if chain["problems"] is None:
        return "The registry's log was not verified for this report."
    if chain["problems"]:
        return f"The registry does not verify: {chain['problems']:,} problem(s), listed at the end."
    return f"The registry verifies: {chain['events']:,} events in one chain, every row follows from them."


def _checks_in_words(report: Record, failed: int) -> str:
    asked = sum(live["checks"] for live in report["live"])
    waived = sum(bool(live["let_live_by"]) for live in report["live"])
    told = f"{asked:,} checks are on the chains of what is live; {failed:,} did not pass."
    return told + (f" {waived} live set(s) have a waiver or an approval." if waived else "")


def _live(report: Record) -> Part:
    rows = tuple(
        (
            live["domain"],
            f"{live['alias']} {live['version']}",
            _time(live["since"]),
            live["digest"][:_SHORT],
            Cell(live["change"] or "–", kind=BAD if live["change"] == "breaking" else ""),
            _passed(live),
            Cell(f"{live['who']}: {live['why']}", kind=WORDS),
        )
        for live in report["live"]
    )
    heads = ("domain", "version", "since (UTC)", "set", "space", "checks", "by whom and why")
    if not rows:
        return Part("What is live", ("Nothing yet.",))
    return Part("What is live", tables=(Table(heads, rows),))


def _passed(live: Record) -> Cell:
    let = [f"{d['kind']} by {d['who']}" for d in live["let_live_by"]]
    if live["failed"]:
        told = f"{len(live['failed'])} of {live['checks']} not passed"
        return Cell(told, ", ".join([*live["failed"], *let]), BAD)
    return Cell(f"{live['checks']} passed", ", ".join(let), GOOD)


def _chains(report: Record) -> Part:
    """One row an artifact that several sets share, or that one was made of alone: which sets it is behind."""
    behind: dict[str, list[str]] = {}
    for live in report["live"]:
        for digest in live["chain"]:
            behind.setdefault(digest, []).append(f"{live['domain']} {live['alias']}")
    rows = tuple(
        (
            report["artifacts"][digest]["title"], digest[:_SHORT],
            Cell(_parents(report, digest), kind=WORDS),
            Cell("every live set" if len(of) == len(report["live"]) else ", ".join(of), kind=WORDS),
        )
        for digest in report["artifacts"]
        for of in (behind[digest],)
    )  # fmt: skip
    lost = tuple(
        f"{live['domain']}: {', '.join(d[:_SHORT] for d in live['not_on_record'])} is not on record."
        for live in report["live"]
        if live["not_on_record"]
    )
    table = Table(("artifact", "digest", "made of", "behind"), rows)
    return Part("By which chain", (), lost, (table,), commands=("hier audit trace DIGEST",))


def _parents(report: Record, digest: str) -> str:
    parents = report["artifacts"][digest]["parents"]
    return ", ".join(f"{role} {parent[:_SHORT]}" for role, parent in parents.items()) or "raw files"


def _artifacts(report: Record) -> Part:
    rows = tuple(
        (
            a["title"], digest[:_SHORT], str(a["event"]), _time(a["made_at"]), a["who"], a["code_version"],
            a["code_commit"][:_SHORT], a["environment"][:_SHORT], a["run_id"][:8],
            str(len(a["checks"])),
            Cell(", ".join(c["name"] for c in a["checks"] if not c["passed"]) or "–",
                 kind=BAD if any(not c["passed"] for c in a["checks"]) else SOFT),
        )
        for digest, a in report["artifacts"].items()
    )  # fmt: skip
    heads = ("artifact", "digest", "event", "made (UTC)", "who", "version", "commit", "environment", "run",
             "checks", "not passed")  # fmt: skip
    table = Table(heads, rows, f"{len(rows)} artifacts", folded=len(rows) > _FOLDED)
    return Part("When, by whom, with which code", tables=(table,))


def _raw(report: Record) -> Part:
    rows = tuple(
        (f["location"], f["sha256"][:_SHORT], f"{f['bytes']:,}", f["read_by"]) for f in report["raw_files"]
    )
    table = Table(
        ("file", "sha256", "bytes", "read by"), rows, f"{len(rows)} files", folded=len(rows) > _FOLDED
    )
    return Part("From which raw files", tables=(table,))


def _decisions(report: Record) -> Part:
    told = report["decisions"]
    rows = tuple(
        (
            d["kind"], d["domain"], d["subject"][:_SHORT], _time(d["at"]),
            _time(d["until"]) if d["until"] else _NONE, d["who"], Cell(d["why"], kind=WORDS),
        )
        for d in told["held"]
    )  # fmt: skip
    heads = ("decision", "domain", "about", "when (UTC)", "until", "who", "why")
    tables = (Table(heads, rows),) if rows else ()
    text = (() if rows else ("No waiver, approval or pin.",)) + (
        (f"{told['erasures']} erasure(s) are on record.",) if told["erasures"] else ()
    )
    return Part("What people decided", text, tables=tables)


def _registry(chain: Record) -> Part:
    return Part(
        "The registry",
        (f"Head: event {chain['head']['seq']:,}, {chain['head']['hash']}.",),
        tuple(chain["first_problems"]),
        commands=("hier audit verify",),
    )


def _time(iso: str) -> str:
    return iso[:19].replace("T", " ")
