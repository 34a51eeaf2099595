"""`hier report`: HIER next to the baselines, for every target and setting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from hier_dag.cli.output import DomainsFile, Json, err, out, print_json

if TYPE_CHECKING:
    from hier_dag.config import PlatformConfig
    from hier_dag.home import Home

HIER = "hier"
Figures = dict[tuple[str, str, str, str], dict[str, Any]]
NOTHING_TO_SCORE = "no test interaction, so nothing to score; its vectors are published"
_K = 10


def report(domains: DomainsFile = None, as_json: Json = False) -> None:
    """Show the figures of every target: NDCG and HR by full ranking, with 95 % intervals."""
    from hier_dag.cli.places import platform_of

    config, home = platform_of(domains)
    records, missing = collect(config, home)
    if as_json:
        print_json(records)
        return
    scored_nothing = {d: reason for d, reason in missing.items() if reason == NOTHING_TO_SCORE}
    if records or scored_nothing:
        out.print(figures_table(records, scored_nothing))
    if records:
        out.print(
            f"[dim]NDCG@{_K} by full ranking of the domain's catalogue, all users with a test interaction; "
            "brackets: 95 % bootstrap interval over users; bold: highest of its row.[/]"
        )
    for domain, reason in missing.items():
        if reason != NOTHING_TO_SCORE:
            err.print(f"{domain}: {reason}", style="yellow", markup=False)


def collect(config: PlatformConfig, home: Home) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Every target's records, and why a target has none."""
    from hier_dag.pipeline.stages import MODEL
    from hier_dag.registry import Registry
    from hier_dag.store import ArtifactStore

    store, registry = ArtifactStore(home.store), Registry(home.registry_url, platform=home.platform)
    records: list[dict[str, Any]] = []
    missing = {}
    for domain in config.target_names:
        digest = registry.latest(MODEL, domain)
        if digest is None:
            missing[domain] = "no model yet; run: hier run"
            continue
        table: pa.Table = pq.read_table(store.open(MODEL, digest).file("report.parquet"))
        records += table.to_pylist()
        if table.num_rows == 0:
            missing[domain] = NOTHING_TO_SCORE
    return records, missing


def figures_table(records: list[dict[str, Any]], missing: Mapping[str, str] | None = None) -> Table:
    """One row a target and setting: NDCG@10 of HIER with interval, of each baseline, and HIER's HR@10.

    Args:
        records: of any number of targets.
        missing: targets without a record, and why.
    """
    wanted = [r for r in records if r["slice"] == "all" and r["k"] == _K and r["metric"] in ("ndcg", "hr")]
    figures = {(r["domain"], r["shots"], r["model"], r["metric"]): r for r in wanted}
    baselines = [m for m in _ordered(r["model"] for r in wanted) if m != HIER]
    domains, shots = _ordered(r["domain"] for r in wanted), _ordered(r["shots"] for r in wanted)
    table = Table(title=f"NDCG@{_K} of every target", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("target", no_wrap=True)
    table.add_column("shots", no_wrap=True)
    for head in ("HIER [95 % interval]", *(escape(m.replace("_", " ")) for m in baselines), f"HIER HR@{_K}"):
        table.add_column(head, justify="right", no_wrap=True)
    for domain in domains:
        for n, shot in enumerate(s for s in shots if (domain, s, HIER, "ndcg") in figures):
            table.add_row(escape(domain) if n == 0 else "", *_row(figures, baselines, domain, shot))
        table.add_section()
    for domain in missing or {}:
        table.add_row(escape(domain), "zero-shot", "published, nothing to score")
        table.add_section()
    for n, shot in enumerate(shots):
        mean = {
            (m, k): _mean(figures, domains, shot, m, k) for m in (HIER, *baselines) for k in ("ndcg", "hr")
        }
        if mean[HIER, "ndcg"] is not None:
            table.add_row("mean" if n == 0 else "", *_cells(mean, baselines, shot, ""))
    return table


def _row(figures: Figures, baselines: list[str], domain: str, shot: str) -> list[str]:
    interval = figures[domain, shot, HIER, "ndcg"]
    values = {
        (m, k): figures[domain, shot, m, k]["value"] if (domain, shot, m, k) in figures else None
        for m in (HIER, *baselines)
        for k in ("ndcg", "hr")
    }
    bracket = rf" \[{interval['low']:.4f}, {interval['high']:.4f}]"
    return _cells(values, baselines, shot, bracket)


def _cells(
    values: dict[tuple[str, str], float | None], baselines: list[str], shot: str, bracket: str
) -> list[str]:
    best = max(v for (_, metric), v in values.items() if metric == "ndcg" and v is not None)
    numbers = [_number(values[m, "ndcg"], best) for m in (HIER, *baselines)]
    hr = values[HIER, "hr"]
    return [_shots(shot), numbers[0] + bracket, *numbers[1:], "–" if hr is None else f"{hr:.4f}"]


def _mean(figures: Figures, domains: list[str], shot: str, model: str, metric: str) -> float | None:
    keys = [(d, shot, model, metric) for d in domains]
    values = [figures[k]["value"] for k in keys if k in figures]
    return sum(values) / len(values) if len(values) == len(domains) else None


def _number(value: float | None, best: float) -> str:
    if value is None:
        return "–"
    return f"[bold]{value:.4f}[/]" if value == best else f"{value:.4f}"


def _shots(shot: str) -> str:
    return "zero-shot" if shot == "0" else escape(shot)


def _ordered(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
