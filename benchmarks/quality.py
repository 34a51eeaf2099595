"""Quality over several splits: HIER and every baseline, mean of targets and each target.

    HIER_DATA=<logs> python benchmarks/quality.py examples/yelp_city/domains.yaml --seeds 0 1 2

Each seed is a split, a pre-training and a fine-tuning of its own, run by `hier run` in a
state folder that is thrown away. A gain's interval is that of users within a split (normal approximation from
each target's bootstrap interval, targets independent); splits share users, so they do not narrow it.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml

HIER = [sys.executable, "-m", "hier_dag.cli.app"]
K = 10
Z = 1.96


def declared(domains: Path, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """The declaration with every seed set, absolute data and the settings asked for."""
    text = read(domains)
    for split in (text.get("splits") or {}).values():
        if split.get("kind") == "seeded_hash":
            split["seed"] = seed
    return staged(text, seed, args.shots, args.trained)


def read(domains: Path) -> dict[str, Any]:
    """The declaration, its data the folder HIER_DATA."""
    text = yaml.safe_load(domains.read_text(encoding="utf-8"))
    return {**text, "data": str(Path(os.environ["HIER_DATA"]).resolve())}


def staged(text: dict[str, Any], seed: int, shots: list[str], trained: list[str]) -> dict[str, Any]:
    """The declaration with one seed of pre-training and fine-tuning, and the settings to report."""
    out = copy.deepcopy(text)
    stages = out.setdefault("stages", {})
    stages.setdefault("pretrain", {})["seed"] = seed
    stages.setdefault("transfer", {}).update(
        seeds=[seed], shots=shots, publish_shots=shots[-1], trained_baselines=trained
    )
    return out


def records_of(domains: Path, seed: int, args: argparse.Namespace) -> tuple[list[dict[str, Any]], float]:
    """The report of one seed, and wall seconds of the whole run."""
    with tempfile.TemporaryDirectory() as folder:
        return reported(declared(domains, seed, args), Path(folder))


def reported(text: dict[str, Any], folder: Path) -> tuple[list[dict[str, Any]], float]:
    """Runs a declaration with its state in a folder: its report, and wall seconds of the whole run.

    Raises:
        SystemExit: with what `hier run` said, when it failed.
    """
    file = folder / "domains.yaml"
    # What loses is scored like anything else; nobody is served by it.
    text.setdefault("stages", {}).setdefault("gates", {}).setdefault("transfer", "warn")
    file.write_text(yaml.safe_dump(text), encoding="utf-8")
    # A registry or Dagster instance of the caller's would outlive the folder.
    kept = {k: v for k, v in os.environ.items() if k not in ("HIER_REGISTRY", "DAGSTER_HOME")}
    environment = {**kept, "HIER_HOME": str(folder), "HIER_DOMAINS": str(file)}
    began = time.perf_counter()
    done = subprocess.run([*HIER, "run", str(file), "--json"], env=environment, stdout=subprocess.PIPE)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stdout.decode() or f"hier run ended with {done.returncode}")
    shown = subprocess.run([*HIER, "report", "--json"], env=environment, check=True, capture_output=True)
    return json.loads(shown.stdout), seconds


def summarise(runs: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """Means over targets and seeds, and HIER's paired gains."""
    values: dict[tuple[str, str, str, str], list[float]] = defaultdict(list)
    gains: dict[tuple[str, str], dict[str, list[tuple[float, float]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for r in (r for run in runs for r in run if r["slice"] == "all" and r["k"] == K):
        if r["metric"] in ("ndcg", "hr"):
            values[r["shots"], r["model"], r["metric"], r["domain"]].append(r["value"])
        if r["metric"].startswith("ndcg_over_") and r["model"] == "hier":
            rival = r["metric"].removeprefix("ndcg_over_")
            gains[r["shots"], rival][r["domain"]].append((r["value"], (r["high"] - r["low"]) / (2 * Z)))
    table: dict[str, Any] = {}
    for shots in sorted({key[0] for key in values}):
        models = sorted({key[1] for key in values if key[0] == shots})
        table[shots] = {m: _mean(values, shots, m) for m in models}
        for model in models:
            if (shots, model) in gains:
                table[shots][model]["hier_gain"] = _gain(gains[shots, model])
    domains = sorted({key[3] for key in values})
    each = {
        shots: {
            d: {m: round(float(np.mean(values[shots, m, "ndcg", d])), 4) for m in table[shots]}
            for d in domains
        }
        for shots in table
    }
    return {"mean": table, "targets": each}


def _mean(values: dict[tuple[str, str, str, str], list[float]], shots: str, model: str) -> dict[str, Any]:
    rows = {
        metric: np.array([v for k, v in sorted(values.items()) if k[:3] == (shots, model, metric)])
        for metric in ("hr", "ndcg")
    }
    return {
        "hr": round(float(rows["hr"].mean()), 4),
        "ndcg": round(float(rows["ndcg"].mean()), 4),
        "ndcg_by_seed": [round(float(v), 4) for v in rows["ndcg"].mean(axis=0)],
    }


def _gain(by_domain: dict[str, list[tuple[float, float]]]) -> list[float]:
    """Mean gain over targets and seeds with its 95 % interval: [gain, low, high]."""
    pairs = np.array(list(by_domain.values()))  # targets × seeds × (gain, standard error)
    gain = pairs[..., 0].mean()
    error = np.sqrt(np.square(pairs[..., 1].mean(axis=1)).sum()) / len(pairs)
    return [round(float(x), 5) for x in (gain, gain - Z * error, gain + Z * error)]


def main() -> None:
    """Runs the seeds one after another and prints the summary."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("domains", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--shots", nargs="+", default=["1%", "10%", "1", "3"])
    parser.add_argument("--trained", nargs="*", default=[])
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    runs, seconds = [], []
    for seed in args.seeds:
        records, took = records_of(args.domains, seed, args)
        runs.append(records)
        seconds.append(round(took, 1))
        print(f"seed {seed}: {took:.0f} s", file=sys.stderr, flush=True)
        # After every seed: what an interrupted run has measured is not lost.
        text = json.dumps({"seeds": args.seeds[: len(runs)], "seconds": seconds, **summarise(runs)}, indent=1)
        if args.out:
            args.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
