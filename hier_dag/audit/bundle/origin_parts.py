"""Parts of a bundle's page that tell where a set comes from: artifacts, environments, runs, files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hier_dag.audit.bundle.lineage_svg import lineage_svg
from hier_dag.audit.bundle.record_parts import number, time
from hier_dag.audit.card.facts import SHORT, commit
from hier_dag.audit.card.parts import WORDS, Cell, Part, Picture, Table
from hier_dag.audit.evidence.subject import Subject

Record = Mapping[str, Any]


def made_of_part(about: Subject, record: Record) -> Part:
    """Every artifact behind the set, as a picture and a table, with parameters behind a click."""
    rows = tuple(
        (
            m.title, m.row.digest[:SHORT], m.row.code_version, commit(m.row.code_commit),
            ", ".join(map(str, m.row.manifest["seeds"])) or "–", m.row.run_id[:8], m.row.who or "–",
            time(a["created_at"]), f"{m.row.seconds:.1f} s", f"{m.row.bytes:,}",
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


def environment(about: Subject, record: Record) -> Part:
    """Environments, what training ran on, and where each run was."""
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
            r["run_id"][:8], str(r["machine"].get("system", "–")), number(r["machine"].get("cores")),
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


def files_part(about: Subject, record: Record) -> Part:
    """Digests of the published files."""
    files = about.published.row.manifest["files"]
    rows = tuple((f["path"], Cell(f["sha256"], kind=WORDS), number(f["bytes"])) for f in files)
    text = f"Artifact publish/embeddings {record['digest']}."
    return Part("The set's files", (text,), tables=(Table(("file", "sha256", "bytes"), rows),))
