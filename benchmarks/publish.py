"""How fast a set is published: Parquet against the disk's own rate, memory, and the index.

    python benchmarks/publish.py [--users 9000000] [--items 1000000] [--dim 64] [--folder DIR] [--json]

Users, items and pairs are generated; vectors lie in memory maps, as a large model's do. Each part runs in a
process of its own, which notes what it held before and at most (VmHWM, Linux), and the disk's rate is that of
a file of the same size, written and flushed in the same folder by turns with the tables; medians are told.
What it writes is deleted.

- `tables`: users and items, sorted (`--shuffled`: ids in no order), hashed, flushed and committed, which is
  what is compared with the disk; seconds of the seen pairs are told apart.
- `set`: the same with index, recall and latency, and `--precisions`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hier_dag.graph.knowledge_graph import Interactions
from hier_dag.publish import files
from hier_dag.publish.files import INDEX, ITEMS, SEEN, USERS, WriteNotes, write_set
from hier_dag.publish.params import IndexParams
from hier_dag.publish.rows import BLOCK, OrderedRows, in_byte_order, picked
from hier_dag.publish.tables import write_seen, write_vectors
from hier_dag.publish.writing import HashedFolder
from hier_dag.store import ArtifactStore, FileEntry, Manifest
from hier_dag.transfer.vectors import DomainVectors

_PIECE = 1 << 20
STEPS = (
    "_write_side", "write_seen", "_truths", "build_index", "tuned", "write_index", "recall", "latency",
    "_write_precisions",
)  # fmt: skip
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def main() -> None:
    """Runs every part and prints its figures."""
    args = _arguments()
    if args.part:
        print(json.dumps(_tables(args) if args.part == "tables" else _set(args)))
        return
    size = 4 * args.dim * (args.users + args.items)
    # Vectors, the set, and either the file of the same size or the index.
    needed = 3 * size + 4 * (args.dim + 2) * args.items
    free = shutil.disk_usage(args.folder).free
    if free < 1.1 * needed:
        sys.exit(f"needs {needed / 1e9:.1f} GB in {args.folder}, where {free / 1e9:.1f} GB are free")
    told: dict[str, Any] = {
        "users": args.users,
        "items": args.items,
        "dim": args.dim,
        "gb_of_disk": needed / 1e9,
    }
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        args.folder = Path(folder)
        for name, rows in (("users", args.users), ("items", args.items)):
            generate(args.folder / name, rows, args.dim, args.kind, items=name == "items")
        os.sync()
        disk, tables = [_disk_rate(args.folder, size)], []
        for _ in range(args.repeats):
            tables.append(_in_process(args, "tables"))
            disk.append(_disk_rate(args.folder, size))
        rates = [run["vector_bytes"] / run["vector_seconds"] / 1e6 for run in tables]
        share = statistics.median(rates) / statistics.median(disk)
        _tell(args, told, {"disk_mb_s": disk, "tables": tables, "tables_mb_s": rates, "share_of_disk": share})
        if not args.only_tables:
            _tell(args, told, {"set": _in_process(args, "set")})
    if args.json:
        print(json.dumps(told))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    for name, default in (("users", 9_000_000), ("items", 1_000_000), ("dim", 64), ("pairs", 5_000_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--kind", choices=["clustered", "gaussian"], default="clustered")
    parser.add_argument("--shuffled", action="store_true", help="ids in no order")
    parser.add_argument("--python-ids", action="store_true", help="ids as Python's strings, not Arrow's")
    parser.add_argument("--precisions", nargs="*", default=[], choices=["float16", "int8"])
    parser.add_argument("--exact-below", type=int, default=IndexParams().exact_below)
    parser.add_argument("--hnsw-below", type=int, default=IndexParams().hnsw_below)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--only-tables", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--part", choices=["tables", "set"], help=argparse.SUPPRESS)
    return parser.parse_args()


def _tell(args: argparse.Namespace, told: dict[str, Any], figures: dict[str, Any]) -> None:
    told.update(figures)
    if not args.json:
        for name, value in figures.items():
            print(f"{name}: {json.dumps(value)}", flush=True)


def generate(path: Path, rows: int, dim: int, kind: str, *, items: bool) -> None:
    """Vectors near 300 centres, or anywhere; items of differing length, users with a last coordinate of 1."""
    centres = np.random.default_rng(1).standard_normal((300, dim), dtype=np.float32) * np.float32(0.8)
    spread = np.linspace(1.5, 0.3, dim, dtype=np.float32)
    rng = np.random.default_rng(2 + items)
    with path.open("wb") as file:
        for start in range(0, rows, BLOCK):
            n = min(BLOCK, rows - start)
            block = rng.standard_normal((n, dim), dtype=np.float32)
            if kind == "clustered":
                block = (block + centres[rng.integers(0, len(centres), n)]) * spread
            if items:
                block *= rng.lognormal(0, 0.5, (n, 1)).astype(np.float32)
            block[:, -1] = rng.standard_normal(n) if items else 1
            file.write(block.tobytes())


def _disk_rate(folder: Path, size: int) -> float:
    """MB/s at which a file of so many bytes is written and flushed."""
    piece = np.random.default_rng(0).bytes(_PIECE)
    path = folder / "same_size"
    start = time.perf_counter()
    with path.open("wb", buffering=0) as file:
        for _ in range(0, size, _PIECE):
            file.write(piece)
        os.fsync(file.fileno())
    seconds = time.perf_counter() - start
    path.unlink()
    return size / seconds / 1e6


def _in_process(args: argparse.Namespace, part: str) -> dict[str, Any]:
    """A part's figures, from a process that does nothing else."""
    names = ("users", "items", "dim", "pairs", "exact_below", "hnsw_below", "folder")
    options = [f"--{name.replace('_', '-')}={getattr(args, name)}" for name in names]
    options += ["--shuffled"] if args.shuffled else []
    options += ["--python-ids"] if args.python_ids else []
    options += ["--precisions", *args.precisions] if args.precisions else []
    command = [sys.executable, "-m", "benchmarks.publish", f"--part={part}", *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return dict(json.loads(done.stdout))


def _tables(args: argparse.Namespace) -> dict[str, Any]:
    vectors, user_ids, item_ids, pairs = _platform(args)

    def write(folder: Path) -> list[FileEntry]:
        out = HashedFolder(folder)
        for name, key, ids, numbers, rows, origin in (
            (USERS, "user_id", user_ids, vectors.users, vectors.user_vectors, vectors.user_origin),
            (ITEMS, "item_id", item_ids, vectors.items, vectors.item_vectors, vectors.item_origin),
        ):
            texts, order = in_byte_order(picked(ids, numbers))
            with out.create(name) as file:
                names = texts if name == ITEMS else None
                write_vectors(file, key, texts, OrderedRows(rows, order), origin, names)
        start = time.perf_counter()
        with out.create(SEEN) as file:
            write_seen(file, pairs, user_ids, item_ids)
        seen.update(seen_bytes=out.entries[-1].bytes, seen_seconds=time.perf_counter() - start)
        return out.entries

    seen: dict[str, float] = {}
    told = _committed(args.folder, write)
    return {
        "vector_bytes": told["bytes"] - seen["seen_bytes"],
        "vector_seconds": told["seconds"] - seen["seen_seconds"],
        **seen,
        **told,
    }


def _set(args: argparse.Namespace) -> dict[str, Any]:
    vectors, user_ids, item_ids, pairs = _platform(args)
    params = IndexParams(
        exact_below=args.exact_below, hnsw_below=args.hnsw_below, precisions=tuple(args.precisions)
    )
    notes, facts, steps = WriteNotes(), {}, {}

    def write(folder: Path) -> list[FileEntry]:
        facts.update(write_set(folder, vectors, user_ids, item_ids, item_ids, pairs, {}, params, notes))
        return notes.entries

    with _timed(steps, *STEPS):
        told = _committed(args.folder, write)
    index = next(entry.bytes for entry in notes.entries if entry.path == INDEX)
    told["peak_gb_beyond_index"] = told["peak_gb"] - index / 1e9
    return {
        **told,
        "steps": steps,
        "index_gb": index / 1e9,
        "index": facts["index"],
        "latency": notes.latency,
        "precisions": facts["precisions"],
    }


def _committed(folder: Path, write: Callable[[Path], list[FileEntry]]) -> dict[str, Any]:
    """Writes and commits an artifact: bytes, seconds, and the most memory held beyond that before."""
    before = _held("VmRSS")
    _RESET.write_text("5")
    start = time.perf_counter()
    store = ArtifactStore(folder / "store")
    with store.stage("publish/embeddings") as staged:
        entries = write(staged)
        manifest = Manifest(kind="publish/embeddings", request_key="0" * 64, code_version="1", params={})
        artifact = store.commit(staged, manifest, entries)
    seconds = time.perf_counter() - start
    peak = _held("VmHWM")
    shutil.rmtree(artifact.path)
    size = sum(entry.bytes for entry in entries)
    return {"bytes": size, "seconds": seconds, "before_gb": before / 1e9, "peak_gb": (peak - before) / 1e9}


def _platform(args: argparse.Namespace) -> tuple[DomainVectors, Any, Any, Interactions]:
    rng = np.random.default_rng(0)
    ids: list[Any] = []
    for who, rows in (("u", args.users), ("i", args.items)):
        numbers = rng.permutation(rows) if args.shuffled else np.arange(rows)
        texts = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 8, "0")
        texts = pc.binary_join_element_wise(who, texts, "")
        ids.append(texts.to_numpy(zero_copy_only=False) if args.python_ids else texts)
    maps = [
        np.memmap(args.folder / name, np.float32, "r", shape=(rows, args.dim))
        for name, rows in (("users", args.users), ("items", args.items))
    ]
    vectors = DomainVectors(
        users=np.arange(args.users),
        user_vectors=maps[0],
        user_origin=rng.integers(0, 3, args.users, np.int8),
        items=np.arange(args.items),
        item_vectors=maps[1],
        item_origin=rng.integers(0, 3, args.items, np.int8),
        method="closed_form",
    )
    n = args.pairs
    pairs = Interactions(
        user=rng.integers(0, args.users, n),
        item=rng.integers(0, args.items, n),
        split=np.zeros(n, np.int8),
        shot_rank=np.zeros(n, np.int32),
        share_rank=np.zeros(n),
        weight=np.zeros(n, np.float32),
    )
    return vectors, *ids, pairs


@contextmanager
def _timed(steps: dict[str, float], *names: str) -> Iterator[None]:
    """Adds up the seconds of the named functions of writing a set."""

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **more)
            finally:
                steps[name.strip("_")] = steps.get(name.strip("_"), 0) + time.perf_counter() - start

        return call

    with mock.patch.multiple(files, **{name: timed(name, getattr(files, name)) for name in names}):
        yield


def _held(what: str) -> int:
    """Bytes of this process, by the name that Linux gives them."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{what}:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
