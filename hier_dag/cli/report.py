"""`hier report`: HIER next to the baselines, for every target and setting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.table import Table

from hier_dag.cli.output import DomainsFile, Json, err, out, print_json

if TYPE_CHECKING:
    from hier_dag.config import PlatformConfig
    from hier_dag.home import Home

_K = 10


def report(domains: DomainsFile = None, as_json: Json = False) -> None:
    """Show the figures of every target: NDCG and HR by full ranking, with 95 % intervals."""
    from hier_dag.cli.places import platform_of

    config, home = platform_of(domains)
    records, missing = collect(config, home)
    if as_json:
        print_json(records)
        return
    if records:
        out.print(figures_table(records))
        out.print(
            f"[dim]NDCG@{_K} by full ranking of the domain's catalogue, all users with a test interaction; "
            "brackets: 95 % bootstrap interval over users; bold: highest of its row.[/]"
        )
    for domain, reason in missing.items():
        err.print(f"{domain}: {reason}", style="yellow")


def collect(config: PlatformConfig, home: Home) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Every target's records, and why a target has none."""
    from hier_dag.pipeline.stages import MODEL
    from hier_dag.registry import Registry
    from hier_dag.store import ArtifactStore

    store, registry = ArtifactStore(home.store), Registry(home.registry_url)
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
            missing[domain] = "no test interaction, so nothing to score; its vectors are published"
    return records, missing


def figures_table(records: list[dict[str, Any]]) -> Table:
    """One row a target and setting: NDCG@10 of HIER with interval, of each baseline, and HIER's HR@10."""
    wanted = [r for r in records if r["slice"] == "all" and r["k"] == _K and r["metric"] in ("ndcg", "hr")]
    figures = {(r["domain"], r["shots"], r["model"], r["metric"]): r for r in wanted}
    models = _ordered(r["model"] for r in wanted)
    domains, shots = _ordered(r["domain"] for r in wanted), _ordered(r["shots"] for r in wanted)
    table = Table(title="Report: NDCG@10", title_justify="left")
    for head in ("target", "shots", "users", "hier", "interval"):
        table.add_column(head, justify="left" if head in ("target", "shots") else "right")
    for model in (m for m in models if m != "hier"):
        table.add_column(model, justify="right")
    table.add_column("hier HR@10", justify="right")
    for domain in domains:
        for n, shot in enumerate(shots):
            if (domain, shot, "hier", "ndcg") in figures:
                last = n == len(shots) - 1
                table.add_row(*_row(figures, models, domain, shot, first=n == 0), end_section=last)
    for shot in shots:
        table.add_row(*_mean_row(figures, models, domains, shot))
    return table


def _row(figures: dict[Any, Any], models: list[str], domain: str, shot: str, *, first: bool) -> list[str]:
    hier = figures[domain, shot, "hier", "ndcg"]
    found = {m: figures[k]["value"] for m in models if (k := (domain, shot, m, "ndcg")) in figures}
    best = max(found.values())
    cells = [domain if first else "", _shots(shot), f"{hier['users']:,}"]
    cells += [_number(found["hier"], best), f"[{hier['low']:.4f}, {hier['high']:.4f}]".replace("[", r"\[")]
    cells += [_number(found.get(m), best) for m in models if m != "hier"]
    return [*cells, f"{figures[domain, shot, 'hier', 'hr']['value']:.4f}"]


def _mean_row(figures: dict[Any, Any], models: list[str], domains: list[str], shot: str) -> list[str]:
    means = {m: _mean(figures, domains, shot, m, "ndcg") for m in models}
    best = max(v for v in means.values() if v is not None)
    cells = ["[bold]mean of targets[/]" if shot == "0" else "", _shots(shot), ""]
    cells += [_number(means["hier"], best), ""] + [_number(means[m], best) for m in models if m != "hier"]
    hr = _mean(figures, domains, shot, "hier", "hr")
    return [*cells, "" if hr is None else f"{hr:.4f}"]


def _mean(figures: dict[Any, Any], domains: list[str], shot: str, model: str, metric: str) -> float | None:
    keys = [(d, shot, model, metric) for d in domains]
    values = [figures[k]["value"] for k in keys if k in figures]
    return sum(values) / len(values) if len(values) == len(domains) else None


def _number(value: float | None, best: float) -> str:
    if value is None:
        return "–"
    return f"[bold]{value:.4f}[/]" if value == best else f"{value:.4f}"


def _shots(shot: str) -> str:
    return "zero-shot" if shot == "0" else shot


def _ordered(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
