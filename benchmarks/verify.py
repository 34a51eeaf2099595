"""How fast `hier audit verify` is: MB/s against a plain sequential read, seconds for a long history.

    python -m benchmarks.verify [--megabytes 2000] [--rounds 3] [--events 100000] [--folder DIR] [--json]

A store of artifacts with files of 4 kB to a quarter of it all is written. Then every file is read, by turns:
plainly (one thread, blocks of 1 MiB, nothing else done), and by the verification (hashed and compared). Cold
means that the page cache was told to drop each file (POSIX_FADV_DONTNEED, after fsync); the share of pages
that it still held is told, by mincore. Warm means that they were read a moment ago. Then the registry of a
large platform (`benchmarks.long_history`, SQLite) is verified, as `--fast` does; its store is empty, so that
all artifacts are looked for in vain.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import mmap
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faults.published_sets import table
from benchmarks.long_history import PLATFORM, fill
from hier_dag.audit.verify_files import manifests, read_all
from hier_dag.audit.verify_records import check_log, check_manifests
from hier_dag.audit.verify_verdict import Verdict
from hier_dag.reconcile import presence
from hier_dag.registry import Registry
from hier_dag.store import ArtifactStore, Manifest

_BLOCK = 1 << 20
_SHARES = (0.25, 0.25, 0.125, 0.125, *(0.0125,) * 16)
_SMALL, _SMALL_FILES = 4096, 200


def write(root: Path, megabytes: int) -> None:
    """Writes a store with random bytes: four artifacts with small files beside the large ones."""
    store, rng = ArtifactStore(root), np.random.default_rng(0)
    for n in range(4):
        with store.stage("raw/events") as staged:
            for at, share in enumerate(_SHARES[n::4]):
                with (staged / f"large-{at}").open("wb") as file:
                    left = int(share * megabytes * 1e6)
                    while left > 0:
                        file.write(rng.bytes(min(left, _BLOCK)))
                        left -= _BLOCK
            for at in range(_SMALL_FILES // 4):
                (staged / f"small-{at}").write_bytes(rng.bytes(_SMALL))
            store.commit(
                staged, Manifest(kind="raw/events", request_key=f"{n:064x}", code_version="1", params={})
            )


def files_of(root: Path) -> list[Path]:
    """Every file of the store's artifacts."""
    return sorted(p for p in (root / "artifacts").rglob("*") if p.is_file())


def drop(files: list[Path]) -> None:
    """Tells the page cache to forget files; dirty pages are written first."""
    for path in files:
        fd = os.open(path, os.O_RDONLY)
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def held(files: list[Path]) -> float:
    """Share of the files' pages that the page cache holds."""
    libc, pages, there = ctypes.CDLL(None, use_errno=True), 0, 0
    for path in files:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ) as mapped:
            n = -(-len(mapped) // mmap.PAGESIZE)
            at, told = np.frombuffer(mapped, np.uint8), (ctypes.c_ubyte * n)()
            if libc.mincore(ctypes.c_void_p(at.ctypes.data), ctypes.c_size_t(len(mapped)), told) != 0:
                raise OSError(ctypes.get_errno(), "mincore")
            del at
            pages, there = pages + n, there + int((np.frombuffer(told, np.uint8) & 1).sum())
    return there / pages


def plainly(root: Path) -> float:
    """Reads every file in turn; seconds."""
    block, began = memoryview(bytearray(_BLOCK)), time.perf_counter()
    for path in files_of(root):
        with path.open("rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
            while file.readinto(block):
                pass
    return time.perf_counter() - began


def verified(root: Path) -> float:
    """Verifies every file; seconds."""
    found, began = Verdict(""), time.perf_counter()
    read_all(manifests(root, found), found)
    if not found.sound:
        raise RuntimeError(f"{found.problems[0]}")
    return time.perf_counter() - began


def measured(root: Path, rounds: int) -> list[dict[str, Any]]:
    """Rows of the table: medians of rounds, the two readers by turns."""
    files = files_of(root)
    size = sum(path.stat().st_size for path in files)
    readers: dict[str, Callable[[Path], float]] = {"plain read": plainly, "verify": verified}
    times: dict[tuple[str, str], list[float]] = {(s, r): [] for s in ("cold", "warm") for r in readers}
    left = []
    for _ in range(rounds):
        for name, reader in readers.items():
            drop(files)
            left.append(held(files))
            times["cold", name].append(reader(root))
        for name, reader in readers.items():
            times["warm", name].append(reader(root))
    rows = []
    for state in ("cold", "warm"):
        seconds = {name: statistics.median(times[state, name]) for name in readers}
        rows.append(
            {
                "page cache": state, "files": len(files), "MB": round(size / 1e6),
                "held before": f"{max(left):.1%}" if state == "cold" else "all",
                **{f"{name}, MB/s": round(size / 1e6 / s) for name, s in seconds.items()},
                "share of the read rate": round(seconds["plain read"] / seconds["verify"], 2),
            }
        )  # fmt: skip
    return rows


def of_the_registry(folder: Path, events: int) -> list[dict[str, Any]]:
    """Rows of the second table: seconds of each part."""
    folder.mkdir()
    registry = Registry(f"sqlite:///{folder / 'registry.db'}", platform=PLATFORM)
    history, found = fill(registry, events), Verdict("")
    parts: dict[str, Callable[[], object]] = {
        "chain, rows, facts": lambda: check_log(registry, [], None, found),
        "manifests on record": lambda: check_manifests(registry, found),
        "presence and parents": lambda: presence.compare(folder, registry),
    }
    rows = []
    for name, part in parts.items():
        began = time.perf_counter()
        part()
        rows.append({"part": name, "events": history.events, "s": round(time.perf_counter() - began, 1)})
    if not found.sound:
        raise RuntimeError(f"{found.problems[0]}")
    return rows


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=100_000, help="of the registry; 0 leaves it out")
    parser.add_argument(
        "--folder", type=Path, help="where the store is written; default: the temporary folder"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        write(Path(folder), arguments.megabytes)
        tables = [measured(Path(folder), arguments.rounds)]
        if arguments.events:
            tables.append(of_the_registry(Path(folder, "history"), arguments.events))
    print(json.dumps(tables, indent=1) if arguments.json else "\n\n".join(map(table, tables)))


if __name__ == "__main__":
    main()
