"""The lineage report of a platform as plain records, from its registry alone; equal logs, equal reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hier_dag.audit.evidence.dates import iso
from hier_dag.erasure.erased import ERASURE
from hier_dag.lineage.trace import ANCHOR
from hier_dag.pipeline.stages import ENCODER, EVENTS, GRAPH, LINKS, MODEL, PUBLISHED
from hier_dag.publish.gates import EVERY_MODEL
from hier_dag.registry import AliasRow, CheckRow, Decision, Registry
from hier_dag.registry.decisions import APPROVAL, PIN, UNPIN, WAIVER
from hier_dag.registry.verify import verify_log
from hier_dag.registry.walk import Node, Walk, ancestors

_ORDER = (EVENTS, LINKS, GRAPH, ENCODER, MODEL, PUBLISHED)
_LETS_LIVE = (WAIVER, APPROVAL)
_PROBLEMS = 100


def platform_report(registry: Registry, *, fast: bool = False) -> dict[str, Any]:
    """What is in force under every alias, and all that it came from.

    Args:
        registry: of the platform.
        fast: leaves the verification of the log out, which reads all of it.

    Returns:
        JSON: platform; chain (events, head, problems: of the whole log, verified now; null if it was not);
        live (a record an alias of a domain: version, set, since, who, why, chain of digests from the raw
        artifacts to the set, checks, what let it go live); artifacts (what is on the chains, by digest);
        raw_files (location, digest, which artifact read it); decisions (waivers, approvals, pins: the newest
        on each subject; and how many erasures).
    """
    rows = registry.all_aliases()
    walks = {digest: _walk(registry, digest) for digest in dict.fromkeys(row.digest for row in rows)}
    nodes = {digest: node for walk in walks.values() for digest, node in walk.nodes.items()}
    checks = {digest: registry.checks(digest) for digest in nodes}
    decided = registry.decisions(kinds=(*_LETS_LIVE, PIN, UNPIN, ERASURE))
    return {
        "platform": registry.platform,
        "chain": _chain(registry, fast),
        "live": [_live(row, walks[row.digest], checks, decided) for row in rows],
        "artifacts": {d: _artifact(nodes[d], walks, checks[d]) for d in sorted(nodes, key=_place(nodes))},
        "raw_files": _raw_files(registry, nodes),
        "decisions": _decisions(decided),
    }


def _walk(registry: Registry, digest: str) -> Walk:
    return registry.read(lambda s: ancestors(s, digest, but_roles=(ANCHOR,)))


def _place(nodes: Mapping[str, Node]) -> Any:
    """Raw artifacts first, published sets last; kinds that are not of the pipeline before all."""

    def place(digest: str) -> tuple[int, str, str]:
        node = nodes[digest]
        return (_ORDER.index(node.kind) if node.kind in _ORDER else -1, node.title, digest)

    return place


def _chain(registry: Registry, fast: bool) -> dict[str, Any]:
    if fast:
        head = registry.head()
        told = {"seq": head.seq, "hash": head.hash}
        return {"events": head.seq, "head": told, "problems": None, "first_problems": []}
    verdict = verify_log(registry)
    return {
        "events": verdict.events,
        "head": {"seq": verdict.head.seq, "hash": verdict.head.hash},
        "problems": len(verdict.problems),
        "first_problems": [f"event {p.seq}, {p.table}: {p.told}" for p in verdict.problems[:_PROBLEMS]],
    }


def _live(
    row: AliasRow, walk: Walk, checks: Mapping[str, Sequence[CheckRow]], decided: Sequence[Decision]
) -> dict[str, Any]:
    asked = [(walk.nodes[d], check) for d in walk.nodes for check in newest(checks[d])]
    return {
        "domain": row.domain,
        "alias": row.alias,
        "version": row.version,
        "digest": row.digest,
        "event": row.event,
        "since": iso(row.created_at),
        "action": row.action,
        "change": row.change,
        "space": row.space,
        "who": row.who,
        "why": row.why,
        "chain": sorted(walk.nodes, key=_place(walk.nodes)),
        "not_on_record": sorted({e.parent for e in walk.edges} - walk.nodes.keys()),
        "checks": len(asked),
        "failed": [f"{node.title}: {check.name}" for node, check in asked if not check.passed],
        "let_live_by": [_decision(d) for d in decided if _let_live(d, row, walk)],
    }  # fmt: skip


def _let_live(d: Decision, row: AliasRow, walk: Walk) -> bool:
    """Whether a waiver or an approval was about the set, or its model, when it went live."""
    about = d.subject in walk.nodes or (d.domain, d.subject) == (row.domain, EVERY_MODEL)
    return d.kind in _LETS_LIVE and about and d.created_at <= row.created_at and d.holds(row.created_at)


def newest(checks: Sequence[CheckRow]) -> list[CheckRow]:
    """The last result of each check: a gate that refused once may let pass by now."""
    return list({check.name: check for check in checks}.values())


def _artifact(node: Node, walks: Mapping[str, Walk], checks: Sequence[CheckRow]) -> dict[str, Any]:
    edges = {(e.role, e.parent) for w in walks.values() for e in w.edges if e.child == node.digest}
    return {
        "kind": node.kind,
        "partition": node.partition,
        "title": node.title,
        "event": node.event,
        "made_at": iso(node.created_at),
        "who": node.who,
        "run_id": node.run_id,
        "code_version": node.code_version,
        "code_commit": node.code_commit,
        "environment": node.environment,
        "bytes": node.bytes,
        "parents": dict(sorted(edges)),
        "checks": [{"name": check.name, "passed": check.passed} for check in newest(checks)],
    }


def _raw_files(registry: Registry, nodes: Mapping[str, Node]) -> list[dict[str, Any]]:
    """Every raw file behind what is live, with the artifact that holds its rows."""
    found = []
    for digest in sorted(nodes, key=_place(nodes)):
        row = registry.artifact(digest) if nodes[digest].kind in (EVENTS, LINKS) else None
        for file in () if row is None else row.manifest["inputs"]:
            about = {key: file[key] for key in ("location", "sha256", "bytes")}
            found.append({**about, "read_by": nodes[digest].title, "artifact": digest})
    return found


def _decisions(decided: Sequence[Decision]) -> dict[str, Any]:
    """What people have decided and is in force, newest first; the newest on a subject counts."""
    counting: dict[tuple[str, str], Decision] = {}
    for decision in decided:
        family = PIN if decision.kind in (PIN, UNPIN) else decision.kind
        counting.setdefault((family, decision.subject), decision)
    held = [d for d in counting.values() if d.kind in (*_LETS_LIVE, PIN)]
    return {
        "held": [_decision(d) for d in held],
        "erasures": len({d.subject for d in decided if d.kind == ERASURE}),
    }


def _decision(d: Decision) -> dict[str, Any]:
    return {
        "kind": d.kind,
        "domain": d.domain,
        "subject": d.subject,
        "event": d.event,
        "who": d.who,
        "why": d.why,
        "at": iso(d.created_at),
        "until": None if d.until is None else iso(d.until),
    }
