"""How fast a consumer reads a published set: opening, single recommendations, many at once, recall.

    python -m benchmarks.reader [--users 100000] [--items 1000000] [--dim 64] [--folder DIR] [--json]

A set is written by hier_dag.publish (vectors near 300 centres, items of differing length, five seen pairs a
user), then read in a process of its own that holds nothing else; files are in the page cache, as after
publication. What it writes is deleted. `first_ms` is the first recommendation after opening: it checks
users.parquet and seen.parquet against their digests as well. `recall@10` compares the index with exact search
for the same users.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

DOMAIN = "cafe"


def main() -> None:
    """Writes the set, reads it in another process, prints the figures."""
    args = _arguments()
    if args.read:
        print(json.dumps(_read(args)))
        return
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        write(Path(folder), args.users, args.items, args.dim)
        sizes = [f"--users={args.users}", f"--items={args.items}", f"--many={args.many}"]
        command = [sys.executable, "-m", "benchmarks.reader", "--read", folder, *sizes]
        told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    if args.json:
        print(json.dumps(told))
        return
    for name, value in told.items():
        print(f"{name:<22} {value}")


def write(root: Path, users: int, items: int, dim: int) -> str:
    """Writes and publishes a set as version 1 of `live`; its digest."""
    from hier_dag.graph.knowledge_graph import Interactions
    from hier_dag.publish.files import WriteNotes, write_set
    from hier_dag.publish.reader.records import VersionRecord, record_path
    from hier_dag.store import ArtifactStore, Manifest
    from hier_dag.transfer.vectors import DomainVectors

    rng, pairs = np.random.default_rng(0), 5 * users
    vectors = DomainVectors(
        users=np.arange(users), user_vectors=_vectors(users, dim, 1), user_origin=np.zeros(users, np.int8),
        items=np.arange(items), item_vectors=_vectors(items, dim, 2, lengths=True),
        item_origin=np.zeros(items, np.int8), method="closed_form",
    )  # fmt: skip
    seen = Interactions(
        user=rng.integers(0, users, pairs), item=rng.integers(0, items, pairs),
        split=np.zeros(pairs, np.int8),
        shot_rank=np.zeros(pairs, np.int32), share_rank=np.zeros(pairs), weight=np.ones(pairs, np.float32),
    )  # fmt: skip
    ids = [pa.array([f"{role}{n:09d}" for n in range(size)]) for role, size in (("u", users), ("i", items))]
    about, notes = {"domain": DOMAIN, "space": "0" * 16}, WriteNotes()
    store = ArtifactStore(root / "store")
    with store.stage("publish/embeddings") as staged:
        write_set(staged, vectors, ids[0], ids[1], ids[1], seen, about, notes=notes)
        manifest = Manifest(
            kind="publish/embeddings", partition=DOMAIN, request_key="0" * 64, code_version="1", params={}
        )
        digest = store.commit(staged, manifest, notes.entries).digest
    record = VersionRecord(DOMAIN, "live", 1, digest, "publish", "first", "0" * 16, "benchmark", "", "")
    file = root / record_path(DOMAIN, "live", 1)
    file.parent.mkdir(parents=True)
    file.write_bytes(record.to_bytes())
    return digest


def _vectors(rows: int, dim: int, seed: int, *, lengths: bool = False) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((300, dim), dtype=np.float32) * np.float32(0.8)
    made = rng.standard_normal((rows, dim), dtype=np.float32)
    made += centres[rng.integers(0, len(centres), rows)]
    made *= np.linspace(1.5, 0.3, dim, dtype=np.float32)
    if lengths:
        made *= rng.lognormal(0, 0.5, (rows, 1)).astype(np.float32)
    return made


def _read(args: argparse.Namespace) -> dict[str, Any]:
    start = time.perf_counter()
    from hier_dag.publish.reader import open_set

    imported = time.perf_counter()
    held = open_set(args.read, DOMAIN)
    opened = time.perf_counter()
    rng = np.random.default_rng(3)
    users = [f"u{n:09d}" for n in rng.permutation(args.users)[: args.many]]
    held.recommend(users[0], 10)
    first = time.perf_counter()
    single = [_timed(lambda user=user: held.recommend(user, 10)) for user in users[1:2001]]
    many = {}
    for exact in (False, True):
        begin = time.perf_counter()
        table = held.recommend_many(users, 10, exact=exact)
        many[exact] = time.perf_counter() - begin, table["item_id"].to_numpy().reshape(len(users), 10)
    hits = [len(np.intersect1d(a, b)) for a, b in zip(many[False][1], many[True][1], strict=True)]
    status = Path("/proc/self/status").read_text().splitlines()
    return {
        "index": held.facts["index"],
        "bytes": sum(entry["bytes"] for entry in held.files.manifest["files"]),
        "import_ms": round(1e3 * (imported - start), 1),
        "open_ms": round(1e3 * (opened - imported), 1),
        "first_ms": round(1e3 * (first - opened), 1),
        "single_p50_ms": round(1e3 * float(np.quantile(single, 0.5)), 2),
        "single_p99_ms": round(1e3 * float(np.quantile(single, 0.99)), 2),
        "single_calls": len(single),
        "many_users": len(users),
        "many_seconds": round(many[False][0], 2),
        "many_exact_seconds": round(many[True][0], 2),
        "recall@10": round(float(np.mean(hits)) / 10, 4),
        "memory_anonymous_mb": next(int(s.split()[1]) // 1024 for s in status if s.startswith("RssAnon")),
    }


def _timed(call: Any) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--many", type=int, default=10_000, help="users that are answered at once")
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--read", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
