"""Wall time, peak memory and headline figures of a whole pipeline, from raw files to published sets.

    python benchmarks/pipeline.py examples/yelp_city/domains.yaml --json

Runs `hier run` in a state folder of its own, twice: the second run must find everything there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HIER = [sys.executable, "-m", "hier_dag.cli.app"]


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, int, str]:
    """Runs a command: wall seconds, peak resident bytes of the largest process, standard output."""
    began = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, done.stdout


def measure(domains: Path) -> dict[str, Any]:
    """Everything about one platform's pipeline."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HIER_HOME": home, "HIER_DOMAINS": str(domains)}
        first, peak, steps = timed([*HIER, "run", str(domains), "--json"], environment)
        second, _, again = timed([*HIER, "run", str(domains), "--json"], environment)
        _, _, report = timed([*HIER, "report", "--json"], environment)
        stored = sum(p.stat().st_size for p in Path(home).rglob("*") if p.is_file())
    return {
        "domains": str(domains),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "first_run_s": round(first, 1),
        "second_run_s": round(second, 1),
        "second_run_made": sum(s["outcome"] == "made" for s in json.loads(again)["steps"]),
        "peak_rss_mb": round(peak / 1e6),
        "state_mb": round(stored / 1e6, 1),
        "steps_s": {s["step"]: s["seconds"] for s in json.loads(steps)["steps"]},
        "ndcg10": means(json.loads(report)),
    }


def means(records: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """NDCG@10 over all users, mean of targets, by setting and model."""
    found: dict[str, dict[str, list[float]]] = {}
    for r in records:
        if (r["slice"], r["metric"], r["k"]) == ("all", "ndcg", 10):
            found.setdefault(r["shots"], {}).setdefault(r["model"], []).append(r["value"])
    return {
        shots: {m: round(sum(v) / len(v), 4) for m, v in models.items()} for shots, models in found.items()
    }


def main() -> None:
    """Measures the platforms named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("domains", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    arguments = parser.parse_args()
    results = [measure(d) for d in arguments.domains]
    if arguments.json:
        print(json.dumps(results, indent=1))
        return
    for r in results:
        times = f"first run {r['first_run_s']} s, second {r['second_run_s']} s ({r['second_run_made']} made)"
        print(f"{r['domains']}: {times}, peak {r['peak_rss_mb']} MB, state {r['state_mb']} MB")
        for shots, models in r["ndcg10"].items():
            print(f"  shots {shots}: " + ", ".join(f"{m} {v:.4f}" for m, v in models.items()))


if __name__ == "__main__":
    main()
