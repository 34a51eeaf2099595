"""Each source plays the target of the others: HIER zero-shot and few-shot, no real target read.

    HIER_DATA=<logs> python benchmarks/sources_as_targets.py examples/yelp_city/domains.yaml
    … --encoders 0 1 2 --set stages.pretrain.dim=32      # an idea against the default

One platform a source, made of the source domains alone; half the pairs of the one that plays the target test.
Encoders are seeds of pre-training; the split stays. With --set the same platforms run again with these values
of domains.yaml changed, and the ratio changed / default is shown. `hier run` keeps its state in a folder that
is thrown away; runs of one platform share it: what a change leaves alone (graph, often encoder) is made once.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from quality import K, read, reported, staged

METRICS = ("ndcg", "hr")
SPLIT = {"kind": "seeded_hash", "test": 0.5, "validation": 0.2, "seed": 0}
DEFAULT, CHANGED = "default", "changed"
Figures = dict[str, dict[str, list[float]]]  # setting → metric → one value an encoder


def sources_of(text: dict[str, Any]) -> list[str]:
    """The source domains, as declared."""
    return [name for name, domain in text["domains"].items() if domain["role"] == "source"]


def with_target(text: dict[str, Any], target: str) -> dict[str, Any]:
    """A declaration of the source domains alone, one of them the target of the others.

    Raises:
        SystemExit: when `target` is no source, or the only one.
    """
    sources = sources_of(text)
    if target not in sources:
        raise SystemExit(f"{target} is no source domain; sources are {', '.join(sources)}")
    if len(sources) < 2:
        raise SystemExit(f"{target} is the only source: nothing is left to pre-train on")
    out = copy.deepcopy(text)
    out["platform"] = f"{text['platform']}_to_{target}"
    out["domains"] = {name: out["domains"][name] for name in sources}
    out["domains"][target]["role"] = "target"
    out["domains"][target].pop("split", None)  # a source's own split may hold out nothing to test
    out.setdefault("splits", {})["target"] = dict(SPLIT)
    out.pop("studies", None)  # they may name domains that are gone
    # A weaker encoder is a finding here, not a reason to stop.
    out.setdefault("stages", {}).setdefault("gates", {}).update(encoder="warn", transfer="warn")
    return out


def parsed(override: str) -> tuple[tuple[str, ...], Any]:
    """The keys and the YAML value of `a.b.c=value`.

    Raises:
        argparse.ArgumentTypeError: when it is written otherwise.
    """
    path, equals, value = override.partition("=")
    keys = tuple(path.strip().split("."))
    if not equals or not all(keys):
        raise argparse.ArgumentTypeError(f"write key.key=value, not {override!r}")
    try:
        return keys, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise argparse.ArgumentTypeError(f"{override!r}: the value is no YAML ({error})") from error


def with_overrides(text: dict[str, Any], overrides: Iterable[tuple[tuple[str, ...], Any]]) -> dict[str, Any]:
    """The declaration with values changed, mappings on the way made where missing.

    Raises:
        SystemExit: when a key leads through something that is no mapping.
    """
    out = copy.deepcopy(text)
    for keys, value in overrides:
        at: Any = out
        for key in keys[:-1]:
            at = at.setdefault(key, {})
            if not isinstance(at, dict):
                raise SystemExit(f"{'.'.join(keys)}: {key} holds {at!r}, no mapping")
        at[keys[-1]] = value
    return out


def figures_of(runs: list[list[dict[str, Any]]], settings: list[str]) -> Figures:
    """HIER's figures over all users with a test pair, from the report of each encoder.

    Raises:
        SystemExit: when a report lacks a setting.
    """
    out: Figures = {s: {m: [] for m in METRICS} for s in settings}
    for records in runs:
        found = {
            (r["shots"], r["metric"]): r["value"]
            for r in records
            if r["model"] == "hier" and r["slice"] == "all" and r["k"] == K
        }
        for setting in settings:
            for metric in METRICS:
                if (setting, metric) not in found:
                    raise SystemExit(f"the report has no {metric}@{K} of HIER at setting {setting}")
                out[setting][metric].append(found[setting, metric])
    return out


def ratios(platforms: dict[str, dict[str, Figures]]) -> dict[str, dict[str, dict[str, float | None]]]:
    """Changed / default of the means over encoders: setting → metric → each platform, and their mean.

    None where the default is 0; such a platform is left out of the mean.
    """
    out: dict[str, dict[str, dict[str, float | None]]] = {}
    for setting in next(iter(platforms.values()))[DEFAULT]:
        out[setting] = {}
        for metric in METRICS:
            row: dict[str, float | None] = {}
            for target, kinds in platforms.items():
                before, after = (float(np.mean(kinds[k][setting][metric])) for k in (DEFAULT, CHANGED))
                row[target] = after / before if before else None
            defined = [r for r in row.values() if r is not None]
            out[setting][metric] = {**row, "mean": float(np.mean(defined)) if defined else None}
    return out


def table(platforms: dict[str, dict[str, Figures]]) -> str:
    """The figures, and the ratios where there are any, as one Markdown table."""
    kinds = list(next(iter(platforms.values())))
    ratio = ratios(platforms) if CHANGED in kinds else {}
    lines = [
        f"| setting | metric | run | {' | '.join(platforms)} | mean |",
        "|---" * (4 + len(platforms)) + "|",
    ]
    for setting in next(iter(platforms.values()))[DEFAULT]:
        for metric in METRICS:
            head = f"| {setting} | {metric.upper()}@{K} |"
            for kind in kinds:
                values = [float(np.mean(p[kind][setting][metric])) for p in platforms.values()]
                cells = [f"{v:.4f}" for v in (*values, float(np.mean(values)))]
                lines.append(f"{head} {kind} | {' | '.join(cells)} |")
            if ratio:
                cells = ["–" if v is None else f"{v:.3f}" for v in ratio[setting][metric].values()]
                lines.append(f"{head} **ratio** | {' | '.join(cells)} |")
    return "\n".join(lines)


def measured(text: dict[str, Any], target: str, args: argparse.Namespace) -> dict[str, Figures]:
    """One platform: every encoder, without and with the overrides."""
    platform = with_target(text, target)
    runs: dict[str, list[list[dict[str, Any]]]] = {DEFAULT: [], **({CHANGED: []} if args.set else {})}
    with tempfile.TemporaryDirectory() as folder:
        for seed in args.encoders:
            for kind in runs:
                declared = staged(platform, seed, args.shots, [])
                if kind == CHANGED:
                    declared = with_overrides(declared, args.set)
                records, seconds = reported(declared, Path(folder))
                runs[kind].append(records)
                print(f"{target}, encoder {seed}, {kind}: {seconds:.0f} s", file=sys.stderr, flush=True)
    return {kind: figures_of(reports, ["0", *args.shots]) for kind, reports in runs.items()}


def main() -> None:
    """Measures the platforms one after another and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("domains", type=Path)
    parser.add_argument("--sources", nargs="+", help="sources that play the target; default all")
    parser.add_argument("--encoders", type=int, nargs="+", default=[0, 1], help="seeds of pre-training")
    parser.add_argument("--shots", nargs="+", default=["1%", "10%", "1", "3"], help="beside zero-shot")
    parser.add_argument("--set", type=parsed, action="append", default=[], metavar="KEY.KEY=VALUE")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    parser.add_argument("--out", type=Path, help="write the JSON, after every platform")
    args = parser.parse_args()
    text = read(args.domains)
    targets = args.sources or sources_of(text)
    for target in targets:
        with_target(text, target)  # a wrong name is refused before anything runs
    platforms: dict[str, dict[str, Figures]] = {}
    for target in targets:
        platforms[target] = measured(text, target, args)
        result = {
            "file": str(args.domains),
            "encoders": args.encoders,
            "set": {".".join(keys): value for keys, value in args.set},
            "platforms": platforms,
            "ratio": ratios(platforms) if args.set else None,
        }
        written = json.dumps(result, indent=1, default=str)
        if args.out:
            args.out.write_text(written + "\n", encoding="utf-8")
    print(written if args.json else table(platforms))


if __name__ == "__main__":
    main()
