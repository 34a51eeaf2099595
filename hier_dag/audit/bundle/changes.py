"""What differs between a version and the one before: as a record, and as a part of the page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hier_dag.audit.card.facts import SHORT, commit
from hier_dag.audit.card.parts import WORDS, Cell, Part, Table
from hier_dag.audit.evidence.subject import Subject
from hier_dag.errors import StoreError
from hier_dag.evaluate.cells import signed
from hier_dag.evaluate.scored import HIER
from hier_dag.evaluate.words import setting_words
from hier_dag.lineage.difference import difference
from hier_dag.lineage.reference import Reference
from hier_dag.pipeline.stages import PUBLISHED

Record = Mapping[str, Any]
Rows = list[tuple[Cell | str, ...]]
_TOLD = ("same", "artifacts", "files", "environment")
_SHOWN = ("ndcg", "hr")
_MANY = 12


def changes(about: Subject) -> dict[str, Any] | None:
    """What differs from the version before; None for the first one.

    Returns:
        since (its number), same (how many artifacts both were made of), artifacts, files, environment, and
        figures of HIER that moved, as `hier audit diff` has them; or not_told, where the set before is not on
        record or damaged.
    """
    before = about.before
    if before is None:
        return None
    if about.registry.artifact(before.digest) is None:
        return {"since": before.version, "not_told": "its set is not on record"}
    one, other = (Reference(r.digest, PUBLISHED, r.domain, r.version) for r in (before, about.row))
    try:
        told = difference(about.registry, {about.platform: about.store}, one, other).as_json()
    except StoreError as error:
        return {"since": before.version, "not_told": error.message}
    moved = [m for m in told["metrics"] if m["model"] == HIER and m["before"] != m["after"]]
    return {"since": before.version, **{key: told[key] for key in _TOLD}, "figures": moved}


def changes_part(told: Record | None) -> Part:
    """The same for people."""
    title = "What changed since the version before"
    if told is None:
        return Part(title, ("This is the first version.",))
    if "not_told" in told:
        return Part(title, (f"Version {told['since']} can no longer be told: {told['not_told']}.",))
    found = {
        "figures of HIER": [_figure(m) for m in told["figures"] if m["metric"] in _SHOWN],
        "raw files": [(f["location"], *map(_cell, f["sha256"])) for f in told["files"]],
        "parameters and seeds": [row for pair in told["artifacts"] for row in _parameters(pair)],
        "environment": [_row(change["key"], change) for change in told["environment"]],
        "artifacts": [(p["title"], _made(p["before"]), _made(p["after"])) for p in told["artifacts"]],
    }
    tables = tuple(
        Table(("", "before", "after"), tuple(rows), f"{name} ({len(rows)})", folded=len(rows) > _MANY)
        for name, rows in found.items()
        if rows
    )
    same = [name for name, rows in found.items() if not rows]
    text = f"Against version {told['since']}; {told['same']} artifacts are behind both." + (
        f" The same: {', '.join(same)}." if same else ""
    )
    return Part(title, (text,), tables=tables)


def short(value: Any) -> str:
    """A value in short: digests by their beginning, numbers to six digits."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:SHORT] if len(text) == 64 and " " not in text else text


def _figure(moved: Record) -> tuple[Cell | str, ...]:
    name = f"{moved['metric'].upper()}@{moved['k']}, {setting_words(moved['shots'])}"
    return (name, _interval(moved["before"]), _interval(moved["after"]))


def _interval(figure: Sequence[float] | None) -> Cell:
    if figure is None:
        return _cell(None)
    value, low, high = figure
    return Cell(f"{value:.4f}", signed(f"[{low:.4f}, {high:.4f}]"), WORDS)


def _parameters(pair: Record) -> Rows:
    rows = [_row(f"{pair['title']}: {change['key']}", change) for change in pair["parameters"]]
    if pair["seeds"]:
        rows.append((f"{pair['title']}: seeds", *map(_cell, pair["seeds"])))
    return rows


def _row(name: str, change: Record) -> tuple[Cell | str, ...]:
    return (name, _cell(change["before"]), _cell(change["after"]))


def _made(side: Record | None) -> Cell:
    if side is None:
        return _cell(None)
    return Cell(short(side["digest"]), f"code {side['code_version']} at {commit(side['code_commit'])}", WORDS)


def _cell(value: Any) -> Cell:
    return Cell(short(value), kind=WORDS)
