"""How far apart two published sets of a target are, by what was changed between them.

    python -m benchmarks.spaces [--users 3000] [--events 45000] [--seeds 2] [--epochs 5]

A sample platform is run once as it is, and once for each change, each run with a home of its own, so that no
set is turned to another: other seeds of pre-training, fewer rows in every log but SQLite's, other
formulations, another number of threads. Every target's set of the one is compared with the other's; the
bounds of the space contract rest on this. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import gzip
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from hier_dag.cli.places import live_of
from hier_dag.home import SAMPLE_DOMAINS, Home
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.publish.space.comparison import SpaceComparison, compare
from hier_dag.publish.space.params import SpaceParams
from hier_dag.publish.space.sides import Space
from hier_dag.sample.generate import generate
from hier_dag.sample.params import SampleParams
from hier_dag.store import ArtifactStore

Change = tuple[str, dict[str, Any], float]
"""A change in words, what it sets of `stages.pretrain`, and the share of every log's rows that is kept."""


def main() -> None:
    """Runs, compares and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=3_000)
    parser.add_argument("--events", type=int, default=45_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=2, help="other seeds of pre-training")
    args = parser.parse_args()
    changes: list[Change] = [
        *((f"seed {seed}", {"seed": seed}, 1.0) for seed in range(1, args.seeds + 1)),
        ("1 % more rows", {}, 0.99),
        ("5 % more rows", {}, 0.95),
        ("two threads instead of one", {"threads": 2}, 1.0),
        ("formulation recommended instead of dual", {"model": "recommended"}, 1.0),
        ("formulation literal instead of dual", {"model": "literal"}, 1.0),
    ]
    print("| change | sets | r0 | r1 | overlap of best 10 |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder / "data", SampleParams(users=args.users, events=args.events))
        base = sets_of(folder / "base", folder / "data", {"epochs": args.epochs})
        for words, pretrain, kept in changes:
            data = folder / "data" if kept == 1 else shortened(folder / "data", folder / words, kept)
            other = sets_of(folder / f"home {words}", data, {"epochs": args.epochs, **pretrain})
            # Where rows were added, the set of the fewer rows is the live one.
            pairs = (base, other) if kept < 1 else (other, base)
            found = [c for c in compared(*pairs) if c.residual is not None]
            spread = (spread_of(found, key) for key in ("residual", "residual_aligned", "overlap"))
            print(f"| {words} | {len(found)} | {' | '.join(spread)} |", flush=True)


def sets_of(home: Path, data: Path, pretrain: dict[str, Any]) -> dict[str, Path]:
    """Folder of each target's set after a run; the few-shot setting is one interaction a user."""
    document = yaml.safe_load(SAMPLE_DOMAINS.read_text(encoding="utf-8"))
    document |= {"data": str(data), "trainer": {"mode": "inline"}}
    document["stages"] = {
        "pretrain": {"threads": 1, **pretrain},
        "transfer": {"shots": ["1"], "seeds": [0], "bootstrap": 50},
        "gates": {"transfer": "warn"},
    }
    home.mkdir()
    file = home / "domains.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HIER_", "DAGSTER_"))}
    command = [sys.executable, "-m", "hier_dag.cli.app", "run", str(file)]
    ran = subprocess.run(
        command, env={**environment, "HIER_HOME": str(home)}, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        sys.exit(ran.stderr[-2000:])
    place = Home(home / "sample")
    store = ArtifactStore(place.store)
    live = {folder.parent.name for folder in place.live.glob("*/live")}
    return {target: store.path_of(PUBLISHED, live_of(place, target).digest) for target in live}


def shortened(data: Path, to: Path, kept: float) -> Path:
    """A copy of some logs without every so-manieth row; SQLite, links and catalogues stay as they are."""
    step = round(1 / (1 - kept))
    for file in (p for p in data.rglob("*") if p.is_file()):
        copy = to / file.relative_to(data)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if file.is_relative_to(data / "logs") and file.suffix == ".parquet":
            table = pq.read_table(file)
            pq.write_table(table.filter(pa.array((np.arange(len(table)) + 1) % step != 0)), copy)
        elif file.is_relative_to(data / "logs") and file.suffix != ".sqlite":
            opener = gzip.open if file.suffix == ".gz" else open
            with opener(file, "rb") as source, opener(copy, "wb") as target:
                # A header is the first line, and is kept.
                target.writelines(line for i, line in enumerate(source) if (i + 1) % step)
        else:
            copy.write_bytes(file.read_bytes())
    return to


def compared(new: dict[str, Path], live: dict[str, Path]) -> Iterator[SpaceComparison]:
    """The sets of every target that both have."""
    for target in sorted(new.keys() & live.keys()):
        yield compare(Space.of_folder(new[target]), Space.of_folder(live[target]), SpaceParams())


def spread_of(found: list[SpaceComparison], key: str) -> str:
    """Least and largest of a figure."""
    values = [getattr(one, key) for one in found if getattr(one, key) is not None]
    return "–" if not values else f"{min(values):.3f} to {max(values):.3f}"


if __name__ == "__main__":
    main()
