"""Parts of a bundle's page that tell what is on record: versions, data, checks, leakage, decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hier_dag.audit.bundle.changes import short
from hier_dag.audit.card.facts import SHORT
from hier_dag.audit.card.parts import BAD, GOOD, SOFT, WORDS, Cell, Part, Table

Record = Mapping[str, Any]
_NONE = Cell("–", kind=SOFT)


def versions(record: Record) -> Part:
    """When each version was live, newest first."""
    rows = tuple(
        (
            str(v["version"]), time(v["from"]),
            time(v["until"]) if v["until"] else Cell("in force", kind=GOOD),
            v["action"], v["change"] or "–", v["digest"][:SHORT], v["who"], Cell(v["why"], kind=WORDS),
        )
        for v in record["versions"]
    )  # fmt: skip
    heads = ("version", "live from", "until", "action", "space", "set", "who", "why")
    return Part("When it was live", tables=(Table(heads, rows),))


def data(record: Record) -> Part:
    """Raw files: what they are, and where their rows went."""
    rows = tuple(
        (
            f["location"], f["domain"] or "all", f["feeds"], f["sha256"][:SHORT], number(f["bytes"]),
            number(f["rows_in"]), number(f["rows_out"]), number(_kept_aside(f["quarantined"])),
            number(f["deduplicated"]), number(f["erased"]),
            Cell(f["terms"] or "not declared", kind=WORDS if f["terms"] else SOFT),
        )
        for f in record["data"]
    )  # fmt: skip
    heads = (
        "raw file", "domain", "feeds", "sha256", "bytes", "rows read", "rows kept", "kept aside",
        "duplicates", "erased", "terms of use",
    )  # fmt: skip
    return Part("Data", tables=(Table(heads, rows),) if rows else ())


def checks(told: Sequence[Record]) -> Part:
    """Those that failed, and all of them behind a click."""
    rows = tuple(
        (
            f"{c['kind']}[{c['partition']}]" if c["partition"] else c["kind"],
            c["name"],
            Cell("passed", kind=GOOD) if c["passed"] else Cell("failed", kind=BAD),
            Cell(_facts(c["facts"]), kind=WORDS),
        )
        for c in told
    )
    failed = [r for r, c in zip(rows, told, strict=True) if not c["passed"]]
    heads = ("artifact", "check", "result", "facts")
    text = f"{len(told)} checks are on record, {len(failed)} of them failed and did not block."
    every = Table(heads, rows, "Every check", folded=True)
    return Part("Checks", (text,), tables=((Table(heads, tuple(failed)),) if failed else ()) + (every,))


def leakage(told: Sequence[Record]) -> Part:
    """Figures of the leakage certificates."""
    rows = tuple(
        (
            f"{t['kind']}[{t['partition']}]" if t["partition"] else t["kind"], t["artifact"][:SHORT],
            number(t.get("edges")), number(t.get("held_out_pairs")),
            _zero(t.get("in_both", t.get("in_held_out"))), (t.get("cut") or "–")[:10],
            t["held_out_sha256"][:SHORT],
        )
        for t in told
    )  # fmt: skip
    heads = (
        "artifact",
        "digest",
        "edges",
        "held-out pairs",
        "held out and used",
        "cut",
        "sha256 of held-out",
    )
    text = "Certificates that nothing held out was used; hier audit leakage DIGEST proves them again."
    return Part("Leakage", (text,), tables=(Table(heads, rows),) if rows else ())


def decisions(record: Record) -> Part:
    """Waivers, approvals, pins, artifacts that were made again, and erasures."""
    rows = tuple(
        (
            d["kind"], d["subject"][:SHORT], time(d["at"]), time(d["until"]) if d["until"] else "–",
            d["who"], Cell(d["why"], kind=WORDS),
        )
        for d in record["approvals"]
    )  # fmt: skip
    again = tuple(
        (
            d["subject"][:SHORT],
            time(d["at"]),
            d["who"],
            Cell(d["why"], kind=WORDS),
            Cell(_facts(d["facts"]), kind=WORDS),
        )
        for d in record["reproductions"]
    )
    gone = record["erasures"]
    receipts = f" Receipts: {', '.join(gone['receipts'])}." if gone["receipts"] else ""
    text = (
        "" if rows else "No waiver, approval or pin is on record.",
        f"Erasures that concern the domains behind it: {gone['count']}.{receipts}",
    )
    tables = (
        Table(("decision", "subject", "at", "until", "who", "why"), rows),
        Table(("artifact", "at", "who", "why", "facts"), again, "Artifacts that were made again"),
    )
    return Part("Decisions of people", tuple(t for t in text if t), tables=tuple(t for t in tables if t.rows))


def _facts(facts: Record) -> str:
    return "; ".join(f"{k}: {short(v)}" for k, v in facts.items()) or "–"


def _kept_aside(reasons: Record | None) -> int | None:
    return None if reasons is None else sum(reasons.values())


def number(value: int | None) -> Cell | str:
    """A number with its thousands apart; a dash for none."""
    return _NONE if value is None else f"{value:,}"


def _zero(value: int | None) -> Cell:
    return _NONE if value is None else Cell(f"{value:,}", kind=BAD if value else GOOD)


def time(iso: str) -> str:
    """A moment to the second."""
    return iso[:19].replace("T", " ") + " UTC"
