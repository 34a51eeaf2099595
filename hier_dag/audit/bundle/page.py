"""The page of a bundle: what a person wants to know first, and all the rest below it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hier_dag.audit.bundle import verify
from hier_dag.audit.bundle.changes import changes_part, short
from hier_dag.audit.bundle.lineage_svg import lineage_svg
from hier_dag.audit.card.card import HTML, chips, lead, verdict_words
from hier_dag.audit.card.facts import SHORT, commit
from hier_dag.audit.card.limits import limits
from hier_dag.audit.card.parts import BAD, GOOD, SOFT, WORDS, Cell, Page, Part, Picture, Table
from hier_dag.audit.card.quality import quality
from hier_dag.audit.evidence.subject import Subject

if TYPE_CHECKING:
    from hier_dag.evaluate.ablation_section import Earned

Record = Mapping[str, Any]
_NONE = Cell("–", kind=SOFT)


def bundle_page(
    about: Subject, record: Record, files: Sequence[str], earned: Sequence[Earned] | None
) -> Page:
    """The page.

    Args:
        about: the version.
        record: what `bundle.json` holds.
        files: names of the bundle's files.
        earned: what each module earns in the domain, where the ablation study was run.
    """
    shown = about.figures
    parts = (
        _versions(record), changes_part(record["changes"]), quality(shown), limits(about, shown, earned),
        _made(about, record), _data(record), _checks(record["checks"]), _leakage(record["leakage"]),
        _decisions(record), _environment(about, record), _files(about, record), _how(record),
    )  # fmt: skip
    cards = [n for n in files if n.endswith("/card.html")]
    links = [("Model card", HTML), *(("Report card with every baseline", name) for name in cards)]
    counts = f"{len(record['checks'])} checks, {sum(not c['passed'] for c in record['checks'])} failed"
    return Page(
        title=f"Evidence: {about.title}, version {about.row.version}",
        lead=lead(about),
        verdict=verdict_words(shown),
        chips=(*chips(about), counts),
        parts=parts,
        links=(*links, ("bundle.json", verify.BUNDLE)),
    )


def _versions(record: Record) -> Part:
    rows = tuple(
        (
            str(v["version"]), _time(v["from"]),
            _time(v["until"]) if v["until"] else Cell("in force", kind=GOOD),
            v["action"], v["change"] or "–", v["digest"][:SHORT], v["who"], Cell(v["why"], kind=WORDS),
        )
        for v in record["versions"]
    )  # fmt: skip
    heads = ("version", "live from", "until", "action", "space", "set", "who", "why")
    return Part("When it was live", tables=(Table(heads, rows),))


def _made(about: Subject, record: Record) -> Part:
    rows = tuple(
        (
            m.title, m.row.digest[:SHORT], m.row.code_version, commit(m.row.code_commit),
            ", ".join(map(str, m.row.manifest["seeds"])) or "–", m.row.run_id[:8], m.row.who or "–",
            _time(a["created_at"]), f"{m.row.seconds:.1f} s", f"{m.row.bytes:,}",
        )
        for m, a in zip(about.made, record["artifacts"], strict=True)
    )  # fmt: skip
    heads = ("artifact", "digest", "code", "commit", "seeds", "run", "who", "made", "took", "bytes")
    params = tuple(
        (m.title, Cell(json.dumps(m.row.manifest["params"], ensure_ascii=False, sort_keys=True), kind=WORDS))
        for m in about.made
    )
    words = "the artifacts that the set was made of, from raw events to the set"
    return Part(
        "What it was made of",
        picture=Picture(lineage_svg(about.made), words, "lineage.svg"),
        tables=(Table(heads, rows), Table(("artifact", "parameters"), params, "Parameters", folded=True)),
    )


def _data(record: Record) -> Part:
    rows = tuple(
        (
            f["location"], f["domain"] or "all", f["feeds"], f["sha256"][:SHORT], _number(f["bytes"]),
            _number(f["rows_in"]), _number(f["rows_out"]), _number(_kept_aside(f["quarantined"])),
            _number(f["deduplicated"]),
            Cell(f["terms"] or "not declared", kind=WORDS if f["terms"] else SOFT),
        )
        for f in record["data"]
    )  # fmt: skip
    heads = (
        "raw file", "domain", "feeds", "sha256", "bytes", "rows read", "rows kept", "kept aside",
        "duplicates", "terms of use",
    )  # fmt: skip
    return Part("Data", tables=(Table(heads, rows),) if rows else ())


def _checks(told: Sequence[Record]) -> Part:
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


def _facts(facts: Record) -> str:
    return "; ".join(f"{k}: {short(v)}" for k, v in facts.items()) or "–"


def _leakage(told: Sequence[Record]) -> Part:
    rows = tuple(
        (
            f"{t['kind']}[{t['partition']}]" if t["partition"] else t["kind"], t["artifact"][:SHORT],
            _number(t.get("edges")), _number(t.get("held_out_pairs")),
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


def _decisions(record: Record) -> Part:
    rows = tuple(
        (
            d["kind"], d["subject"][:SHORT], _time(d["at"]), _time(d["until"]) if d["until"] else "–",
            d["who"], Cell(d["why"], kind=WORDS),
        )
        for d in record["approvals"]
    )  # fmt: skip
    again = tuple(
        (
            d["subject"][:SHORT],
            _time(d["at"]),
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


def _environment(about: Subject, record: Record) -> Part:
    tables = []
    for digest, known in record["environments"].items():
        if not known:
            continue
        facts = about.registry.environment(digest) or {}
        text = f"Python {facts.get('python')} on {facts.get('system')} {facts.get('machine')}"
        rows = ((text, Cell(", ".join(facts.get("distributions", ())), kind=WORDS)),)
        tables.append(
            Table(("environment", "distributions"), rows, f"Environment {digest[:SHORT]}", folded=True)
        )
    runs = tuple(
        (
            r["run_id"][:8], str(r["machine"].get("system", "–")), _number(r["machine"].get("cores")),
            ", ".join(r["machine"].get("devices") or ()) or "no GPU", commit(str(r.get("code_commit", "–"))),
        )
        for r in record["runs"]
    )  # fmt: skip
    heads = ("run", "system", "cores", "devices", "commit")
    lacking = [digest[:SHORT] for digest, known in record["environments"].items() if not known]
    used = [words for one in record["artifacts"] if (words := _made_with(one))]
    gone = (f"Not on record: environment {', '.join(lacking)}.",) if lacking else ()
    return Part(
        "Where it was made", (*used, *gone), tables=((Table(heads, runs),) if runs else ()) + tuple(tables)
    )


def _made_with(artifact: Record) -> str:
    """On what training ran, where the manifest says so."""
    told = artifact["summary"]
    used = [f"{key} {told[key]}" for key in ("device", "threads", "processes") if told.get(key) is not None]
    return f"{artifact['kind']} was made with {', '.join(used)}." if used else ""


def _files(about: Subject, record: Record) -> Part:
    files = about.published.row.manifest["files"]
    rows = tuple((f["path"], Cell(f["sha256"], kind=WORDS), _number(f["bytes"])) for f in files)
    text = f"Artifact publish/embeddings {record['digest']}."
    return Part("The set's files", (text,), tables=(Table(("file", "sha256", "bytes"), rows),))


def _how(record: Record) -> Part:
    log = record["events"]
    signed = (
        "The bundle is not signed."
        if record["signed_by"] is None
        else f"The statement is signed by the key {record['signed_by']} (statement.dsse.json)."
    )
    text = (
        "verify.py needs Python alone. It looks that the statement covers every file and no other, that each "
        "manifest matches its digest and names its parents, that copies are those that manifests name, and "
        "that the events' hashes match. With --store it reads every byte of the artifacts. Whoever may have "
        "changed the bundle may have changed verify.py: take it from a place that you trust, or compare the "
        "digest that it prints.",
        f"{log['count']} events of the registry's log are here. The last one is event "
        f"{log['last']['seq']}, of hash {log['last']['hash']}. {signed}",
    )
    commands = (
        "python verify.py",
        "python verify.py --store HIER_HOME/PLATFORM/store",
        "python verify.py --key key.pub",
    )
    return Part("How to check this bundle", text, commands=commands)


def _kept_aside(reasons: Record | None) -> int | None:
    return None if reasons is None else sum(reasons.values())


def _number(value: int | None) -> Cell | str:
    return _NONE if value is None else f"{value:,}"


def _zero(value: int | None) -> Cell:
    return _NONE if value is None else Cell(f"{value:,}", kind=BAD if value else GOOD)


def _time(iso: str) -> str:
    return iso[:19].replace("T", " ") + " UTC"
