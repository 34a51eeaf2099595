"""The raw files behind a set: what was read, how many rows became of it, and under which terms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hier_dag.audit.evidence.declared import Declared
from hier_dag.audit.evidence.made_of import Made
from hier_dag.pipeline.stages import EVENTS, LINKS

_COUNTS = ("rows_in", "rows_out", "quarantined", "deduplicated")


def raw_files(made: Sequence[Made], terms: Declared) -> list[dict[str, Any]]:
    """One record a raw file that was read for a set.

    Args:
        made: what the set was made of.
        terms: terms of use, as declared now.

    Returns:
        artifact, feeds, domain, location, format, sha256, bytes, rows_in, rows_out, quarantined (by reason),
        deduplicated, erased (rows of users who were), terms (null where none are declared). Counts are null
        where the artifact is not in the store any more.
    """
    found = [file for one in made if one.row.kind in (EVENTS, LINKS) for file in _files(one, terms)]
    return sorted(found, key=lambda f: (f["domain"] or "", f["feeds"], f["location"]))


def domains(made: Sequence[Made]) -> list[dict[str, Any]]:
    """One record a domain whose events are behind a set, sources first.

    Returns:
        domain, role, files, rows_in, events, quarantined, deduplicated, erased, first, last (times of events,
        ISO 8601 UTC; null where no event has one, or the artifact is not in the store any more).
    """
    graph = next((one for one in made if one.row.kind == "kg/graph"), None)
    roles = {} if graph is None else graph.row.manifest["params"].get("domains", {})
    found = []
    for one in made:
        if one.row.kind != EVENTS:
            continue
        domain, summary = one.row.partition or "", one.row.manifest["summary"]
        time = one.json("profile.json").get("time", {})
        found.append(
            {
                "domain": domain,
                "role": roles.get(domain, {}).get("role"),
                "files": summary.get("files"),
                "rows_in": summary.get("rows_in"),
                "events": summary.get("rows_out"),
                "quarantined": summary.get("rows_quarantined"),
                "deduplicated": summary.get("deduplicated"),
                "erased": summary.get("erased", 0),
                "first": time.get("first"),
                "last": time.get("last"),
            }
        )
    return sorted(found, key=lambda d: (d["role"] != "source", d["domain"]))


def _files(one: Made, terms: Declared) -> Iterator[dict[str, Any]]:
    counted = {(f["location"], f["sha256"], f["feeds"]): f for f in one.json("ledger.json").get("files", [])}
    for read in one.row.manifest["inputs"]:
        feeds = read.get("feeds", "events")
        ledger = counted.get((read["location"], read["sha256"], feeds), {})
        yield {
            "artifact": one.row.digest,
            "feeds": feeds,
            **{key: read.get(key) for key in ("domain", "location", "format", "sha256", "bytes")},
            **{key: ledger.get(key) for key in _COUNTS},
            "erased": ledger.get("erased", 0) if ledger else None,
            "terms": terms.terms.get((feeds, read.get("domain"), read.get("source", 0))),
        }
