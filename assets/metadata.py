"""What people see on an asset's page: digests, columns, lineage of columns, tables and pictures."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from hier_dag.conservation import LEDGER, Flow, flows_of
from hier_dag.pipeline.workshop import Outcome
from hier_dag.store import Artifact

_FLOWS = 100  # lines of the ledger shown: metadata rows live in the event log
_PICTURE_LIMIT = 50_000  # bytes: metadata rows live in the event log


def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of any JSON shape as metadata values."""
    out: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, dict | list | tuple):
            out[name] = dg.MetadataValue.json(list(value) if isinstance(value, tuple) else value)
        elif value is not None:
            out[name] = value
    return out


def describe(outcome: Outcome) -> dict[str, Any]:
    """What every stage shows: digest, size, whether it was there already, and its summary."""
    m = outcome.artifact.manifest
    flows = flows_in(outcome.artifact)
    return {
        "digest": outcome.artifact.digest,
        "reused": outcome.reused,
        "folder": dg.MetadataValue.path(str(outcome.artifact.path)),
        "size": f"{sum(f.bytes for f in m.files) / 1e6:,.2f} MB in {len(m.files)} files",
        "code_version": m.code_version,
        **({"conservation": dg.MetadataValue.md(conservation_table(flows))} if flows else {}),
        **{k: v for k, v in plain(m.summary).items()},
    }


def flows_in(artifact: Artifact) -> list[Flow]:
    """The conservation ledger of an artifact; empty where it has none."""
    if LEDGER not in {f.path for f in artifact.manifest.files}:
        return []
    ledger = artifact.json(LEDGER)
    return flows_of(ledger) if "flows" in ledger else []


def conservation_table(flows: Sequence[Flow]) -> str:
    """What went into every step, what came out, and what did not and why, as Markdown."""

    def counts(of: Mapping[str, int]) -> str:
        return ", ".join(f"{n:,} {name}" for name, n in of.items()) or "none"

    head = ["step", "domain", "source", "unit", "in", "out", "left out, by reason"]
    rows = [
        (f.step, f.domain or "all", f.source or "", f.unit, f.entered, counts(f.left), counts(f.lost))
        for f in flows[:_FLOWS]
    ]
    more = f"\n\nand {len(flows) - _FLOWS:,} more in ledger.json" if len(flows) > _FLOWS else ""
    return markdown_table(head, rows) + more


def column_schema(columns: Iterable[Mapping[str, Any]]) -> dg.TableSchema:
    """A table's columns for the UI."""
    return dg.TableSchema(
        columns=[dg.TableColumn(c["name"], type=c["type"], description=c.get("description")) for c in columns]
    )


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; numbers get thousands separators, text is escaped."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(_cell(v) for v in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4f}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def picture(png: bytes, title: str) -> dg.MetadataValue[Any]:
    """A small PNG as Markdown; one that is too big for the event log is named instead."""
    if len(png) > _PICTURE_LIMIT:
        return dg.MetadataValue.md(f"{title}: see the artifact's folder")
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{base64.b64encode(png).decode()})")
