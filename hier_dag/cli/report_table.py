"""Tables of `hier report`: readable in 100 columns whatever the number of baselines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from hier_dag.evaluate.figures import evidence_order
from hier_dag.evaluate.scored import GAIN, HIER
from hier_dag.evaluate.words import model_words, setting_words

K = 10
"""Cutoff of the figures in these tables; `--json` has every other."""

_OTHERS = 71  # columns of a terminal that everything but the names of baselines takes
_NARROWEST = 18
_T = TypeVar("_T")
_Figures = dict[tuple[str, str, str, str], dict[str, Any]]  # (domain, shots, model, metric)


def figures_table(
    records: Sequence[Mapping[str, Any]], missing: Mapping[str, str] | None = None, width: int = 100
) -> Group:
    """A table a target, a row a setting: HIER, the strongest baseline, the paired gain over it, HIER's HR@10.

    Args:
        records: of any number of targets.
        missing: targets without a record, and why.
        width: columns of the terminal; names of baselines are cut to fit it.
    """
    found = _indexed(records)
    domains, shots = _ordered(d for d, *_ in found), _settings(found)
    names = max([12, *(len(model_words(m)) for _, _, m, metric in found if metric == "ndcg")])
    named = min(6 + names, max(_NARROWEST, width - _OTHERS))
    shown: list[RenderableType] = []
    for domain in domains:
        table = _table(domain, named)
        for shot in (s for s in shots if (domain, s, HIER, "ndcg") in found):
            table.add_row(_setting(shot), *_cells(found, domain, shot))
        shown.append(table)
    shown += [f"[bold]{escape(domain)}[/]: published, nothing to score\n" for domain in missing or {}]
    if len(domains) > 1:
        mean = _table("mean of targets", named)
        for row in _mean_rows(found, domains, shots):
            mean.add_row(*row)
        shown.append(mean)
    return Group(*shown)


def _table(title: str, named: int) -> Table:
    """An empty table; equal widths let the tables of all targets stand in line."""
    table = Table(
        title=f"[bold]{escape(title)}[/]",
        title_justify="left",
        title_style="",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column(f"NDCG@{K}", no_wrap=True, min_width=9)
    table.add_column(r"HIER \[95 %]", justify="right", no_wrap=True, min_width=20)
    table.add_column("strongest baseline", no_wrap=True, overflow="ellipsis", width=named)
    table.add_column(r"paired gain \[95 %]", justify="right", no_wrap=True, min_width=23)
    table.add_column(f"HR@{K}", justify="right", no_wrap=True, min_width=5)
    return table


def models_table(records: Sequence[Mapping[str, Any]], domain: str) -> Table:
    """Every model of one target: a row a model, a column a setting, highest figures bold.

    Args:
        records: of any number of targets.
        domain: the target.
    """
    found = {key: r for key, r in _indexed(records).items() if key[0] == domain and key[3] == "ndcg"}
    table = Table(title=f"{escape(domain)}: NDCG@{K}", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("model", no_wrap=True, overflow="ellipsis")
    shots = _settings(found)
    for shot in shots:
        table.add_column(_setting(shot), justify="right", no_wrap=True)
    best = {s: max(r["value"] for (_, shot, *_), r in found.items() if shot == s) for s in shots}
    models = _ordered(model for _, _, model, _ in found)

    def height(model: str) -> float:
        last = next((r for s in reversed(shots) if (r := found.get((domain, s, model, "ndcg")))), None)
        return -last["value"] if last else 0.0

    for model in sorted(models, key=lambda m: (m != HIER, height(m))):
        figures = [found.get((domain, s, model, "ndcg")) for s in shots]
        cells = [_value(r["value"] if r else None, best[s]) for s, r in zip(shots, figures, strict=True)]
        table.add_row(escape(model_words(model)), *cells)
    return table


def _indexed(records: Sequence[Mapping[str, Any]]) -> _Figures:
    found: _Figures = {}
    for r in records:
        if r["slice"] == "all" and r["k"] == K:
            found[r["domain"], r["shots"], r["model"], r["metric"]] = dict(r)
    return found


def _cells(found: _Figures, domain: str, shot: str) -> list[str]:
    hier, hr = found[domain, shot, HIER, "ndcg"], found.get((domain, shot, HIER, "hr"))
    others = {
        m: r["value"]
        for (d, s, m, metric), r in found.items()
        if (d, s, metric) == (domain, shot, "ndcg") and m != HIER
    }
    rival = max(others, key=others.__getitem__, default=None)
    gain = found.get((domain, shot, HIER, f"{GAIN}{rival}"))
    best = max([hier["value"], *others.values()])
    return [
        f"{_value(hier['value'], best)} {_interval(hier)}",
        f"{_value(others[rival], best)} {escape(model_words(rival))}" if rival else "–",
        f"{_coloured(gain)} {_interval(gain, '+')}" if gain else "–",
        _short(hr["value"]) if hr else "–",
    ]


def _mean_rows(found: _Figures, domains: Sequence[str], shots: Sequence[str]) -> Iterator[list[str]]:
    for shot in shots:
        mean = {
            key: sum(found[d, shot, *key]["value"] for d in domains) / len(domains)
            for key in _ordered((m, metric) for _, s, m, metric in found if s == shot)
            if all((d, shot, *key) in found for d in domains)
        }
        if (HIER, "ndcg") not in mean:
            continue
        hier, hr = mean[HIER, "ndcg"], mean.get((HIER, "hr"))
        others = {m: value for (m, metric), value in mean.items() if metric == "ndcg" and m != HIER}
        rival = max(others, key=others.__getitem__, default=None)
        best = max([hier, *others.values()])
        base = f"{_value(others[rival], best)} {escape(model_words(rival))}" if rival else "–"
        gain = _short(hier - others[rival], "+") if rival else "–"
        yield [_setting(shot), _value(hier, best), base, gain, _short(hr) if hr is not None else "–"]


def _coloured(gain: Mapping[str, Any]) -> str:
    style = "green" if gain["low"] > 0 else "red" if gain["high"] < 0 else "dim"
    return f"[{style}]{_short(gain['value'], '+')}[/]"


def _interval(figure: Mapping[str, Any], sign: str = "") -> str:
    return rf"[dim]\[{_short(figure['low'], sign)}, {_short(figure['high'], sign)}][/]"


def _value(value: float | None, best: float) -> str:
    if value is None:
        return "–"
    return f"[bold]{_short(value)}[/]" if value == best else _short(value)


def _short(value: float, sign: str = "") -> str:
    """Four decimals without the leading zero: ".0553", "+.0021", "1.0000"."""
    words = f"{value:{sign}.4f}"
    return words.replace("0.", ".", 1) if abs(value) < 0.99995 else words


def _setting(shots: str) -> str:
    return escape(setting_words(shots).replace(" per user", "/user"))


def _settings(found: _Figures) -> list[str]:
    return sorted({shots for _, shots, *_ in found}, key=evidence_order)


def _ordered(values: Iterable[_T]) -> list[_T]:
    return list(dict.fromkeys(values))
