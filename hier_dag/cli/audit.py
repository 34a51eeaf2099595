"""`hier audit`: proofs about what is stored, made again."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from hier_dag.cli.audit_anchor import anchor
from hier_dag.cli.audit_bundle import bundle
from hier_dag.cli.audit_diff import diff
from hier_dag.cli.audit_impact import impact
from hier_dag.cli.audit_lineage_report import lineage_report
from hier_dag.cli.audit_live import live
from hier_dag.cli.audit_reconcile import reconcile
from hier_dag.cli.audit_trace import trace
from hier_dag.cli.audit_verify import verify
from hier_dag.cli.model_card import card
from hier_dag.cli.output import REFUSED, DomainsFile, Json, err, out, print_json, readable
from hier_dag.cli.places import stores_of

if TYPE_CHECKING:
    from hier_dag.audit.claim import Claim

audit = typer.Typer(
    name="audit",
    no_args_is_help=True,
    help="Prove again what is claimed of stored artifacts; what was live when, by whom and why.",
)
_STYLES = {"proven": "green", "failed": "bold red", "not asked": "yellow"}


audit.command()(live)
audit.command()(verify)
audit.command()(reconcile)
audit.command()(anchor)
audit.command()(trace)
audit.command()(diff)
audit.command()(impact)
audit.command()(lineage_report)
audit.command()(bundle)
audit.command()(card)


@audit.command()
def leakage(
    digest: Annotated[
        str, typer.Argument(help="Digest of a graph, encoder, model or published set, or its beginning.")
    ],
    domains: DomainsFile = None,
    as_json: Json = False,
) -> None:
    """Prove that an artifact knows nothing that is held out, from what is stored: nothing is built again."""
    from hier_dag.audit.find import find
    from hier_dag.audit.leakage import KINDS, prove, proven
    from hier_dag.ingest.connection import connect

    began = time.perf_counter()
    stores = stores_of(domains)
    place = find(stores, readable(digest, "DIGEST"), KINDS)
    with tempfile.TemporaryDirectory(prefix="hier-audit-") as scratch, connect(Path(scratch)) as con:
        claims = list(prove(stores[place.platform], place.kind, place.digest, con))
    sound, seconds = proven(claims), time.perf_counter() - began
    if as_json:
        about = {"platform": place.platform, "kind": place.kind, "digest": place.digest}
        print_json({**about, "proven": sound, "claims": [c.as_json() for c in claims]})
    else:
        out.print(_table(claims, str(place)))
        _verdict(claims, sound, seconds)
    if not sound:
        raise typer.Exit(REFUSED)


def _table(claims: list[Claim], title: str) -> Table:
    table = Table(title=f"Leakage audit of {title}", title_justify="left")
    for head in ("artifact", "domain", "claim", "result", "figures"):
        table.add_column(head, overflow="fold")
    for c in claims:
        result = Text(c.outcome, style=_STYLES[c.outcome])
        figures = Text("see below" if c.outcome == "failed" else c.told)
        table.add_row(Text(c.artifact), Text(c.domain or "all"), Text(c.claim), result, figures)
    return table


def _verdict(claims: list[Claim], sound: bool, seconds: float) -> None:
    for c in claims:
        if c.outcome == "failed":
            where = f"{c.artifact} {c.digest[:12]}" + (f", {c.domain}" if c.domain else "")
            err.print(f"✗ {where}: {c.told}", style="red", markup=False, highlight=False, soft_wrap=True)
    left = sum(c.outcome == "not asked" for c in claims)
    more = f" {left} claim(s) could not be asked: what they would be proven from is gone." if left else ""
    verdict = "Proven." if sound else "Not proven."
    out.print(f"{verdict}{more} {seconds:.1f} s", style="bold" if sound else "bold red", highlight=False)
