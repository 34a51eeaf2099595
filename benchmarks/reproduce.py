"""Every kind of artifact built again: raw files elsewhere, processes of their own, other threads.

    python benchmarks/reproduce.py [--users 600] [--events 12000] [--threads 1 2 4]

Makes a small sample platform and runs it and a cell of each study, moves its logs to another folder, and
calls `hier reproduce` in a process for each kind and number of threads (OMP_NUM_THREADS, torch, BLAS and
DuckDB alike). `as then` leaves torch and BLAS at the recorded number, whatever OMP_NUM_THREADS says; cells of
studies have the threads that their parameters say. The last rows build everything from raw files to vectors
(--deep). Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hier_dag.home import SAMPLE_DOMAINS
from hier_dag.pipeline.stages import ENCODER, EVENTS, GRAPH, LINKS, MODEL, PUBLISHED, RESULT, STUDY
from hier_dag.sample.generate import generate
from hier_dag.sample.params import SampleParams

STAGES = """
trainer: {mode: inline}
stages:
  pretrain: {dim: 16, intents: 4, exemplars: 8, epochs: 2, batch_size: 256, negatives: 64,
    path_weight: 0.03, threads: 1}
  transfer: {shots: ["1"], seeds: [0], bootstrap: 50, finetune_epochs: 1}
  gates: {transfer: warn}
studies: {seeds: [0], shots: ["1"], targets: [grocery]}
"""
STUDIES = {
    "sensitivity": "dim_32",
    "scaling": "default",
    "ablation": "default",
    "interpretability": "",
    "platforms": "",
}
"""Cells that are run of each study; all of them where none is named."""
CELLS = (RESULT, *(f"{STUDY}/{name}" for name in STUDIES))
KINDS = (EVENTS, LINKS, GRAPH, ENCODER, MODEL, PUBLISHED, *CELLS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=600)
    parser.add_argument("--events", type=int, default=12_000)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 4])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        domains = platform(root / "first", args.users, args.events)
        hier(root, 1, "run", str(domains))
        for study, cells in STUDIES.items():
            hier(root, 1, "study", study, "--domains", str(domains), *(["--cells", cells] if cells else []))
        moved = root / "moved" / "logs_of_a_backup"
        moved.parent.mkdir()
        shutil.move(root / "first" / "data", moved)
        print(
            "| kind | OMP_NUM_THREADS | torch, BLAS | verdict | files | differ | max rel | overlap@10 | s |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
        for kind in KINDS:
            for threads in args.threads:
                for wanted in ([], ["--threads", str(threads)])[: 1 if kind in CELLS else 2]:
                    say(threads, wanted, certificates(root, threads, newest(root, kind), moved, wanted)[-1])
        for made in certificates(root, max(args.threads), newest(root, PUBLISHED), moved, ["--deep"]):
            say(max(args.threads), ["--deep"], made)


def platform(folder: Path, users: int, events: int) -> Path:
    """Logs and declaration of a sample platform in a folder."""
    generate(folder / "data", SampleParams(users=users, events=events))
    text = SAMPLE_DOMAINS.read_text(encoding="utf-8")
    text = text.replace("${HIER_DATA:-../../.hier/sample_logs}", "data")
    file = folder / "domains.yaml"
    file.write_text(text[: text.index("\nstages:")] + STAGES, encoding="utf-8")
    return file


def newest(root: Path, kind: str) -> str:
    """An artifact of a kind, the first by digest where there are several."""
    return min(p.name for p in (root / "state/sample/store/artifacts" / kind).iterdir())


def certificates(
    root: Path, threads: int, digest: str, data: Path, options: list[str]
) -> list[dict[str, Any]]:
    """What `hier reproduce` says in a process of its own."""
    told = hier(root, threads, "reproduce", digest, "--data", str(data), "--json", *options)
    return told if isinstance(told, list) else [told]


def hier(root: Path, threads: int, *arguments: str) -> Any:
    """Calls `hier`; gives what it prints as JSON, None where that is none."""
    done = subprocess.run(
        [sys.executable, "-m", "hier_dag.cli.app", *arguments],
        env={**os.environ, "HIER_HOME": str(root / "state"), "OMP_NUM_THREADS": str(threads)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    if "--json" not in arguments and done.returncode:
        sys.exit(f"hier {' '.join(arguments)} ended with {done.returncode}")
    return json.loads(done.stdout) if "--json" in arguments else None


def say(threads: int, options: list[str], c: dict[str, Any]) -> None:
    """Prints a row of the table."""
    figures = c["figures"] or {}
    told = [f"{figures[k]:.2g}" if figures.get(k) is not None else "–" for k in ("max_rel", "overlap")]
    how = "deep" if "--deep" in options else " ".join(options).removeprefix("--threads ") or "as then"
    row = [
        c["kind"] + (f"[{c['partition']}]" if c["partition"] else ""),
        threads,
        how,
        c["verdict"],
        c["files"],
    ]
    print("|", " | ".join(map(str, [*row, len(c["differing"]), *told, c["seconds"]])), "|", flush=True)


if __name__ == "__main__":
    main()
