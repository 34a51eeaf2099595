"""`hier audit diff`: what differs between two artifacts, or two versions of what is live."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from hier_dag.cli.output import DomainsFile, Json, out, print_json, readable
from hier_dag.cli.short import commit
from hier_dag.names import is_digest

if TYPE_CHECKING:
    from hier_dag.lineage.difference import Difference, Pair

_SHORT = 12
_METRICS, _K = ("ndcg", "hr", "recall", "mrr"), 10  # shown; all figures are in --json
_NAMED = "Digest or its beginning, or DOMAIN or DOMAIN@VERSION for a published set."


def diff(
    before: Annotated[str, typer.Argument(help=_NAMED)],
    after: Annotated[str, typer.Argument(help="What it is compared with, named in the same way.")],
    most: Annotated[int, typer.Option("-n", min=1, help="Rows to show of each table.")] = 20,
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Show what changed: data, code, parameters, seeds, environment, metrics, versions and decisions."""
    from hier_dag.cli.audit_places import on_record
    from hier_dag.lineage.difference import difference
    from hier_dag.lineage.reference import named

    registry, stores = on_record(domains)
    one, other = named(registry, readable(before, "BEFORE")), named(registry, readable(after, "AFTER"))
    found = difference(registry, stores, one, other)
    if as_json:
        print_json(found.as_json())
        return
    out.print(Text.assemble((str(one), "bold"), "  →  ", (str(other), "bold")), highlight=False)
    for title, heads, rows in _tables(found):
        if rows:
            out.print(_table(title, heads, rows, most))
    for line in _verdict(found):
        out.print(line, highlight=False, markup=False)


Rows = list[Sequence[Any]]


def _tables(found: Difference) -> Iterator[tuple[str, Sequence[str], Rows]]:
    yield (
        "Artifacts that differ", ("artifact", "before", "after", "code", "commit", "environment"),
        [_artifact(p) for p in found.pairs],
    )  # fmt: skip
    files: Rows = [
        (f.domain or "all", f.location, _colour(f.change), _both(f.rows_in), _both(f.rows_out),
         _both(tuple(s and s[:8] for s in f.sha256)))
        for f in found.files
    ]  # fmt: skip
    yield "Raw files", ("domain", "location", "change", "rows", "read", "sha256"), files
    for title, name in (("Parameters", "parameters"), ("Counts and figures", "summary")):
        rows: Rows = [
            (p.title, c.key, _plain(c.before), _plain(c.after)) for p in found.pairs for c in getattr(p, name)
        ]
        yield title, ("artifact", "key", "before", "after"), rows
    seeds: Rows = [(p.title, *p.seeds) for p in found.pairs if p.seeds]
    yield "Seeds", ("artifact", "before", "after"), seeds
    environment: Rows = [(c.key, c.before, c.after) for c in found.environment]
    yield "Environment", ("what", "before", "after"), environment
    metrics: Rows = [
        (m.setting, m.shots, f"{m.metric}@{m.k}", _figure(m.before), _figure(m.after), _signed(m.difference))
        for m in found.metrics
        if m.ours and m.metric in _METRICS and m.k == _K
    ]
    yield "Report card (all users)", ("setting", "shots", "metric", "before", "after", "difference"), metrics
    yield "Versions and decisions", ("side", "what", "when (UTC)", "by", "why"), list(_said(found))


def _artifact(pair: Pair) -> Sequence[Any]:
    sides = (pair.before, pair.after)
    digests = [Text("none", "yellow") if row is None else row.digest[:_SHORT] for row in sides]
    told = (
        [None if row is None else getattr(row, key) for row in sides]
        for key in ("code_version", "code_commit", "environment")
    )
    return Text(pair.title, "cyan"), *digests, *(_once(*values) for values in told)


def _once(before: str | None, after: str | None) -> Text:
    """A value that is the same on both sides once and dim, else both."""
    if before is None or after is None or before == after:
        return Text(commit(before or after or ""), "dim")
    return Text(f"{commit(before)} → {commit(after)}", "yellow")


def _both(sides: Sequence[Any]) -> str:
    before, after = ("–" if s is None else f"{s:,}" if isinstance(s, int) else str(s) for s in sides)
    return before if before == after else f"{before} → {after}"


def _plain(value: Any) -> str:
    """A value as people read it: digests by their beginning, numbers to six digits."""
    if is_digest(value):
        return str(value)[:_SHORT]
    return f"{value:.6g}" if isinstance(value, float) else f"{value:,}" if type(value) is int else str(value)


def _colour(change: str) -> Text:
    return Text(change, {"added": "green", "removed": "red"}.get(change, "yellow"))


def _figure(value: tuple[float, float, float] | None) -> str:
    return "–" if value is None else f"{value[0]:.4f} [{value[1]:.4f}, {value[2]:.4f}]"


def _signed(value: float | None) -> Text:
    if value is None:
        return Text("–")
    return Text(f"{value:+.4f}", "green" if value > 0 else "red" if value < 0 else "dim")


def _said(found: Difference) -> Iterator[Sequence[Any]]:
    for side, versions, decisions in zip(("before", "after"), found.versions, found.decisions, strict=True):
        for v in versions:
            force = Text(f"{v}, {v.action}" + (", in force" if v.in_force else ""), "green")
            yield side, force, f"{v.created_at:%Y-%m-%d %H:%M}", v.who, v.why
        for d in decisions:
            until = f" until {d.until:%Y-%m-%d %H:%M}" if d.until else ""
            what = Text(f"{d.kind} {d.subject[:_SHORT]}{until}", "yellow")
            yield side, what, f"{d.created_at:%Y-%m-%d %H:%M}", d.who, d.why


def _table(title: str, heads: Sequence[str], rows: Rows, most: int) -> Table:
    table = Table(title=title, title_justify="left")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows[:most]:
        table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    if len(rows) > most:
        table.caption = f"{len(rows) - most:,} more rows (-n, --json)"
    return table


def _verdict(found: Difference) -> Iterator[Text]:
    pairs = [(p.before, p.after) for p in found.pairs]
    whole = [(a, b) for a, b in pairs if a is not None and b is not None]
    told = {
        "domains": 2 * (found.before.partition != found.after.partition),
        "data": len(found.files),
        "code": sum((a.code_version, a.code_commit) != (b.code_version, b.code_commit) for a, b in whole),
        "parameters": sum(len(p.parameters) for p in found.pairs),
        "seeds": sum(p.seeds is not None for p in found.pairs),
        "environment": len(found.environment),
    }
    differ = [f"{name} ({n:,})" for name, n in told.items() if n]
    alike = [name for name, n in told.items() if not n]
    yield Text(
        f"Differ: {', '.join(differ) or 'nothing'}. The same: {', '.join(alike) or 'nothing'}, and "
        f"{found.same:,} artifacts.",
        "bold",
    )
