"""A whole pre-training against single epochs of peers' LightGCN, on the same pairs and cores in one run.

    python -m venv RECBOLE && RECBOLE/bin/pip install -r benchmarks/peers/recbole.txt
    python -m venv PYG && PYG/bin/pip install -r benchmarks/peers/pyg.txt
    HIER_DATA=<logs> python -m benchmarks.training_peers examples/yelp_city/domains.yaml \
        --recbole RECBOLE/bin/python --pyg PYG/bin/python [--json]

The graph is built by the pipeline's own steps in a state folder that is thrown away. Peers read the training
pairs of all sources from a file there, and run one after another as processes of their own; only the epoch
itself is counted for them, and everything that pre-training does for us. A peer whose Python is not given
is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hier_dag.cli.run import open_dagster
from hier_dag.config import load_config
from hier_dag.graph.files import load_graph
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.home import home_of
from hier_dag.orchestration.runner import FAILED, run, steps
from hier_dag.pipeline.policy import policy_of
from hier_dag.pipeline.stages import GRAPH
from hier_dag.pipeline.workshop import Workshop
from hier_dag.registry import Registry
from hier_dag.store import ArtifactStore
from hier_dag.train.params import PretrainParams
from hier_dag.train.pretrain import pretrain

PEERS = Path(__file__).parent / "peers"
DIM, LAYERS, BATCH = 64, 2, 2048
OURS, RECBOLE, PYG, PYG_CSR = "ours, whole", "RecBole", "PyG, edge index", "PyG, CSR"


def build_graph(domains: Path) -> tuple[KnowledgeGraph, PretrainParams]:
    """The platform's graph, by the pipeline in HIER_HOME, and the parameters declared for pre-training.

    Raises:
        SystemExit: with what a step said, when it failed.
    """
    config = load_config(domains)
    at = home_of(config.platform)
    workshop = Workshop(ArtifactStore(at.store), Registry(at.registry_url, platform=at.platform))
    to_graph = steps(config, workshop)[:2]
    for done in run(lambda: open_dagster(config, at), to_graph, workshop, policy_of(config, at.root)):
        if done.outcome == FAILED:
            raise SystemExit(f"{done.step.title}: {done.message}")
    digest = workshop.registry.latest(GRAPH, None)
    assert digest is not None
    folder = workshop.open(GRAPH, digest).path
    graph = load_graph(folder, tuple(config.source_names), tuple(config.target_names))
    return graph, config.stages.pretrain


def pairs_of(graph: KnowledgeGraph) -> np.ndarray:
    """Training pairs of all sources, int64 [n, 2]."""
    edges = [graph.interacts[source] for source in graph.sources]
    return np.concatenate([np.stack([e.row_of_entry(), e.indices], axis=1) for e in edges])


def ours(graph: KnowledgeGraph, params: PretrainParams, threads: int) -> dict[str, Any]:
    """A whole pre-training: its seconds, those to the end of its best epoch, and pairs trained."""
    pairs = len(pairs_of(graph))
    began = time.perf_counter()
    trained = pretrain(graph, replace(params, device="cpu", threads=threads))
    seconds = time.perf_counter() - began
    epochs = [record.seconds for record in trained.curve]
    return {
        "seconds": seconds,
        "pairs": pairs * len(epochs),
        "threads": threads,
        "epochs": len(epochs),
        "best_epoch": trained.best_epoch,
        "epochs_to_best_s": sum(epochs[: trained.best_epoch]),
    }


def peer(python: Path, script: str, folder: Path, threads: int, *more: str) -> dict[str, Any]:
    """One epoch of a peer, as it says itself."""
    sizes = ["--dim", DIM, "--layers", LAYERS, "--batch", BATCH, "--threads", threads]
    command = [python.absolute(), PEERS / script, folder, *sizes, *more]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [str(c) for c in command], env=environment, cwd=folder, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise SystemExit(f"{script} ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Every contestant, with the load of the machine before each."""
    threads = arguments.threads
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"HIER_HOME": home, "HIER_DOMAINS": str(arguments.domains)}
        # A registry or Dagster instance of the caller's would outlive the folder.
        for name in ("HIER_REGISTRY", "DAGSTER_HOME"):
            os.environ.pop(name, None)
        graph, params = build_graph(arguments.domains)
        folder = Path(home)
        np.save(folder / "pairs.npy", pairs_of(graph))
        contestants = {OURS: lambda: ours(graph, params, threads)}
        if arguments.recbole:
            contestants[RECBOLE] = lambda: peer(arguments.recbole, "recbole_lightgcn.py", folder, threads)
        if arguments.pyg:
            for name, edges in ((PYG, "index"), (PYG_CSR, "csr")):
                contestants[name] = lambda edges=edges: peer(
                    arguments.pyg, "pyg_lightgcn.py", folder, threads, "--edges", edges
                )
        found: dict[str, Any] = {}
        for name, contestant in contestants.items():
            load = round(os.getloadavg()[0], 2)
            found[name] = contestant() | {"load_before": load}
            print(f"{name}: {found[name]['seconds']:.1f} s", file=sys.stderr, flush=True)
    return {"sizes": {"dim": DIM, "layers": LAYERS, "batch": BATCH}, "runs": found, "bounds": bounds(found)}


def bounds(runs: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What must hold, of the peers that took part; PyTorch Geometric counts in its faster form.

    Ours is everything up to the best epoch's validation: what follows, as rehearsal, is no training. Peers
    are their epochs alone.
    """
    own = runs[OURS]
    to_best, trained = own["epochs_to_best_s"], own["pairs"] * own["best_epoch"] / own["epochs"]

    def each(name: str) -> float:
        return to_best / trained if name == OURS else runs[name]["seconds"] / runs[name]["pairs"]

    out = []
    if RECBOLE in runs:
        whole = runs[RECBOLE]["seconds"] / to_best
        what = "an epoch of RecBole / our pre-training to its best validation"
        out.append({"what": what, "ratio": whole, "least": 1.0})
        out.append(
            {"what": "RecBole / ours, a pair trained", "ratio": each(RECBOLE) / each(OURS), "least": 5.0}
        )
    if PYG in runs:
        faster = min(each(PYG), each(PYG_CSR))
        out.append({"what": "PyG / ours, a pair trained", "ratio": faster / each(OURS), "least": 2.0})
    return out


def show(found: dict[str, Any]) -> None:
    """Prints the table and what must hold."""
    print(f"{'':18} {'seconds':>8} {'pairs':>10} {'µs a pair':>10} {'load':>6}")
    for name, r in found["runs"].items():
        each = r["seconds"] / r["pairs"] * 1e6
        print(f"{name:18} {r['seconds']:8.1f} {r['pairs']:10,} {each:10.1f} {r['load_before']:6.2f}")
    own = found["runs"][OURS]
    print(f"ours: best of {own['epochs']} epochs is {own['best_epoch']}, "
          f"{own['epochs_to_best_s']:.1f} s of epochs to its end")  # fmt: skip
    for b in found["bounds"]:
        verdict = "holds" if b["ratio"] >= b["least"] else "MISSED"
        print(f"must hold: {b['what']} = {b['ratio']:.2f}, at least {b['least']}: {verdict}")


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("domains", type=Path)
    parser.add_argument("--recbole", type=Path, help="Python of RecBole's environment")
    parser.add_argument("--pyg", type=Path, help="Python of PyTorch Geometric's environment")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    arguments = parser.parse_args()
    found = measure(arguments)
    if arguments.json:
        print(json.dumps(found, indent=1))
    else:
        show(found)


if __name__ == "__main__":
    main()
