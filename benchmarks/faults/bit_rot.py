"""Bit rot in published sets: a flipped bit or a cut end in each of 1,000 files must be refused before use.

    python -m benchmarks.faults.bit_rot [--cases 1000] [--seed 0] [--json]

One small set is published; then, case by case, one of its files (each Parquet file, the index, set.json,
the manifest, the version record) is damaged at a random place, a reader opens the set and asks for what every
file takes part in, and the file is put back. A case passes where a `StoreError` came before any answer.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reader import DOMAIN, write
from hier_dag.errors import StoreError
from hier_dag.publish.reader import open_set
from hier_dag.publish.reader.records import record_path


def main() -> None:
    """Damages file after file and prints what became of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = sweep(Path(folder), args.cases, args.seed)
    refused = sum(row["refused"] for row in told)
    if args.json:
        print(json.dumps({"cases": args.cases, "refused": refused, "files": told}))
    else:
        print(f"{'file':<20}{'bytes':>9}{'flipped':>9}{'cut':>6}{'refused':>9}  file named")
        for row in told:
            print(
                f"{row['file']:<20}{row['bytes']:>9,}{row['flipped']:>9}{row['cut']:>6}{row['refused']:>9}"
                f"  {row['named']}/{row['flipped'] + row['cut']}"
            )
        print(f"{refused:,} of {args.cases:,} refused before use")
    sys.exit(refused != args.cases)


def sweep(root: Path, cases: int, seed: int) -> list[dict[str, Any]]:
    """Damages and reads; one row a file."""
    digest = write(root, users=300, items=500, dim=16)
    folder = root / "store" / "artifacts" / "publish" / "embeddings" / digest
    files = {path.name: path for path in sorted(folder.iterdir())}
    files["version record"] = root / record_path(DOMAIN, "live", 1)
    if not answered(root):
        raise RuntimeError("the whole set gives no answer")
    rng, counts = np.random.default_rng(seed), Counter[tuple[str, str]]()
    for case in range(cases):
        name = list(files)[case % len(files)]
        path = files[name]
        whole = path.read_bytes()
        at = int(rng.integers(len(whole)))
        how = "flipped" if rng.random() < 0.5 else "cut"
        data = bytearray(whole)
        data[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(data) if how == "flipped" else whole[:at])
        counts[name, how] += 1
        try:
            answered(root)
        except StoreError as error:
            counts[name, "refused"] += 1
            counts[name, "named"] += str(error.file) == str(path)
        path.write_bytes(whole)
    if not answered(root):
        raise RuntimeError("the set that was put back gives no answer")
    keys = ("flipped", "cut", "refused", "named")
    return [
        {"file": name, "bytes": path.stat().st_size, **{key: counts[name, key] for key in keys}}
        for name, path in files.items()
    ]


def answered(root: Path) -> bool:
    """One recommendation, which every file of the set takes part in."""
    with open_set(root, DOMAIN) as held:
        return len(held.recommend("u000000007", 10)) == 10


if __name__ == "__main__":
    main()
