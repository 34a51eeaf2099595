"""`hier report`: HIER next to the baselines, for every target and setting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hier_dag.cli.output import DomainsFile, Json, err, out, print_json

if TYPE_CHECKING:
    from hier_dag.config import PlatformConfig
    from hier_dag.evaluate.ablation_section import Earned
    from hier_dag.home import Home

__all__ = ["NOTHING_TO_SCORE", "collect", "earned_modules", "report", "write_pages"]

NOTHING_TO_SCORE = "no test interaction, so nothing to score; its vectors are published"


def report(
    domains: DomainsFile = None,
    as_json: Json = False,
    every: Annotated[bool, typer.Option("--all", help="Show every baseline of every target.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write all report cards into one HTML file.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--out", help="Write a report card and a picture of each target into a folder."),
    ] = None,
) -> None:
    """Show the figures of every target: NDCG and HR by full ranking, with 95 % intervals."""
    from hier_dag.cli.places import state_of
    from hier_dag.cli.report_table import K, figures_table, models_table

    config, home = state_of(domains)
    records, missing = collect(config, home)
    if records and (html or folder):
        write_pages(records, config.platform, html, folder, earned_modules(config, home))
    if as_json:
        print_json(records)
        return
    scored_nothing = {d: reason for d, reason in missing.items() if reason == NOTHING_TO_SCORE}
    if every:
        for domain in dict.fromkeys(r["domain"] for r in records):
            out.print(models_table(records, domain))
    if records or scored_nothing:
        out.print(figures_table(records, scored_nothing, out.width))
    if records:
        out.print(
            f"[dim]NDCG@{K} by full ranking of the domain's catalogue, all users with a test interaction; "
            "brackets: 95 % bootstrap interval over users; bold: the higher of the two; gains are paired. "
            "More: --all, --html FILE, --out DIR, --json.[/]"
        )
    for file in (html, folder / "index.html" if folder else None):
        if records and file is not None:
            out.print(f"Written: {file}", markup=False, highlight=False, soft_wrap=True)
    for domain, reason in missing.items():
        if reason != NOTHING_TO_SCORE:
            err.print(f"{domain}: {reason}", style="yellow", markup=False)


def collect(config: PlatformConfig, home: Home) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Every target's records, and why a target has none."""
    import pyarrow.parquet as pq

    from hier_dag.cli.places import registry_of
    from hier_dag.pipeline.stages import MODEL
    from hier_dag.store import ArtifactStore

    store, registry = ArtifactStore(home.store), registry_of(home)
    records: list[dict[str, Any]] = []
    missing = {}
    for domain in config.target_names:
        digest = registry.latest(MODEL, domain)
        if digest is None:
            missing[domain] = "no model yet; run: hier run"
            continue
        table = pq.read_table(store.open(MODEL, digest).file("report.parquet"))
        records += table.to_pylist()
        if table.num_rows == 0:
            missing[domain] = NOTHING_TO_SCORE
    return records, missing


def earned_modules(config: PlatformConfig, home: Home) -> dict[str, list[Earned]]:
    """What each module earns, by target, as far as cells of the ablation study are there; trains nothing."""
    from hier_dag.cli.places import registry_of
    from hier_dag.pipeline.workshop import Workshop
    from hier_dag.store import ArtifactStore
    from hier_dag.study.ablation import AblationStudy
    from hier_dag.study.collect import finished_cells

    registry = registry_of(home)
    study = AblationStudy()
    return study.earned(config, finished_cells(study, config, Workshop(ArtifactStore(home.store), registry)))


def write_pages(
    records: list[dict[str, Any]],
    platform: str,
    html: Path | None,
    folder: Path | None,
    earned: dict[str, list[Earned]],
) -> None:
    """Writes report cards: all into one HTML file, and each with its Markdown and picture into a folder.

    Args:
        records: of at least one target.
        platform: its name, for the heading.
        html: the one file, or None.
        folder: gets index.html, and <target>.html, .md and .png of every target; or None.
        earned: what each module earns, by target.
    """
    import pyarrow as pa

    from hier_dag.evaluate.card import card_markdown
    from hier_dag.evaluate.page import card_html, report_html
    from hier_dag.evaluate.plots import curve_png
    from hier_dag.evaluate.records import RECORD_SCHEMA

    table = pa.Table.from_pylist(records, schema=RECORD_SCHEMA)
    whole = report_html(table, f"{platform}: HIER report", earned)
    for file in (html, folder / "index.html" if folder else None):
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(whole, encoding="utf-8")
    if folder is None:
        return
    for domain in dict.fromkeys(r["domain"] for r in records):
        (folder / f"{domain}.html").write_text(card_html(table, domain, earned), encoding="utf-8")
        (folder / f"{domain}.md").write_text(card_markdown(table, domain), encoding="utf-8")
        (folder / f"{domain}.png").write_bytes(curve_png(table, domain))
