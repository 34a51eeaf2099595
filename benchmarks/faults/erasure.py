"""Erases users of a sample platform, then brings their rows back from an old raw copy, and looks everywhere.

    python benchmarks/faults/erasure.py [--users 1000] [--platform-users 4000] [--events 120000]

Row 16 of the faults: what `hier forget` says that it reached is compared, user by user, with an oracle that
reads every file of every artifact whole and follows parents as manifests name them; the oracle shares no code
with it. Then the logs are cleaned of the users and everything is made anew; then the old logs come back and
everything is made anew again. After each step the users are looked for in all that is in force and in all
that is stored. Trainings are small: what is measured is who is in them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from safetensors.numpy import load_file

from hier_dag.config import load_config
from hier_dag.erasure.erased import erased_of
from hier_dag.erasure.reach import by_user, reach
from hier_dag.home import SAMPLE_DOMAINS
from hier_dag.ingest.connection import connect
from hier_dag.pipeline.workshop import Workshop
from hier_dag.registry import Registry
from hier_dag.sample.generate import generate
from hier_dag.sample.params import SampleParams
from hier_dag.store import ArtifactStore

STAGES = """
trainer: {mode: inline}
stages:
  pretrain: {dim: 16, intents: 4, exemplars: 8, epochs: 2, batch_size: 256, negatives: 64,
    path_weight: 0.03, threads: 1}
  transfer: {shots: ["1"], seeds: [0], bootstrap: 50, finetune_epochs: 1}
  gates: {transfer: warn}
  publish: {space: {breaking: allow}, index: {precisions: [float16, int8]}}
"""
USER = re.compile(r"u\d{7}")
NOT_LEARNT_OF = {"anchor", "before", "earlier"}
FILTERED = {"raw/events", "raw/links", "raw/refused", "raw/corrections", "kg/graph"}
Oracle = dict[str, dict[str, str]]
"""Grade of each artifact by digest, for every user by id."""


def oracle(store: Path, users: Collection[str]) -> Oracle:
    """Everything that has something of some users, found by reading all there is.

    Args:
        store: of the platform.
        users: their ids.
    """
    wanted = set(users)
    manifests: dict[Path, Any] = {
        p.parent: json.loads(p.read_bytes()) for p in store.glob("artifacts/*/*/*/manifest.json")
    }
    folders = {folder.name: folder for folder in manifests}
    holds = {f.name: _held(f, m, folders, wanted) for f, m in manifests.items()}
    learnt: dict[str, set[str]] = {}

    def touched(digest: str) -> set[str]:
        if digest not in learnt:
            manifest: Any = manifests[folders[digest]] if digest in folders else {"kind": "", "parents": {}}
            learnt[digest] = set(holds.get(digest, ()))
            if manifest["kind"] not in FILTERED:
                for role, parent in manifest["parents"].items():
                    learnt[digest] |= set() if role in NOT_LEARNT_OF else touched(parent)
        return learnt[digest]

    found: Oracle = {}
    for digest in folders:
        for user in touched(digest):
            found.setdefault(user, {})[digest] = "holds" if user in holds[digest] else "learnt"
    return found


def _held(
    folder: Path, manifest: Mapping[str, Any], folders: Mapping[str, Path], users: set[str]
) -> set[str]:
    ids = {value for file in folder.rglob("*.parquet") for value in _texts(file)} & users
    graph = folders.get(manifest["parents"].get("graph", ""))
    if graph is None or manifest["kind"] == "publish/embeddings":
        return ids
    nodes = pq.read_table(graph / "nodes/users.parquet").to_pylist()
    names = {row["user"]: row["user_id"] for row in nodes}
    for file in folder.rglob("*.safetensors"):
        arrays = load_file(file)
        if manifest["kind"] == "pretrain/encoder" and "users" in arrays:
            ids |= {names[number] for number in range(len(arrays["users"]))} & users
        elif manifest["kind"] == "finetune/model" and "users" in arrays:
            ids |= {names[int(number)] for number in arrays["users"]} & users
    return ids


def _texts(file: Path) -> Iterator[str]:
    """Every user's id in every column of text of a table."""
    for name, column in pq.read_table(file).to_pydict().items():
        for value in column if name != "vector" else ():
            if isinstance(value, str):
                yield from USER.findall(value)


def in_force(home: Path, users: Collection[str]) -> int:
    """How many vectors and seen pairs of some users are in the sets that version records name."""
    return sum(len(rows) for rows in _in_sets(home, set(users)))


def _in_sets(home: Path, users: set[str]) -> Iterator[list[str]]:
    for alias in home.glob("live/*/*"):
        digest = json.loads(max(alias.glob("*.json")).read_bytes())["digest"]
        folder = home / "store/artifacts/publish/embeddings" / digest
        for file in folder.glob("*.parquet"):
            if "items" not in file.name:
                yield [
                    u for u in pq.read_table(file, columns=["user_id"])["user_id"].to_pylist() if u in users
                ]


class Trial:
    """A sample platform with all of its state.

    Args:
        folder: an empty folder.
        users: of the platform.
        events: of all domains.
    """

    def __init__(self, folder: Path, users: int, events: int) -> None:
        self.folder, self.data = folder, folder / "data"
        generate(self.data, SampleParams(users=users, events=events))
        text = SAMPLE_DOMAINS.read_text(encoding="utf-8")
        text = text.replace("${HIER_DATA:-../../.hier/sample_logs}", "data")
        self.domains = folder / "domains.yaml"
        self.domains.write_text(text[: text.index("\nstages:")] + "\n" + STAGES, encoding="utf-8")
        self.home = folder / "state" / "sample"

    def hier(self, *arguments: str) -> Any:
        """What a command answers, as JSON.

        Raises:
            CalledProcessError: it failed.
        """
        command = [sys.executable, "-m", "hier_dag.cli.app", *arguments, "--json"]
        own = {"HIER_HOME": str(self.folder / "state"), "HIER_DOMAINS": str(self.domains)}
        done = subprocess.run(command, env={**os.environ, **own}, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def run(self) -> None:
        """Makes everything that is not there yet."""
        self.hier("run", str(self.domains))

    def users(self) -> list[str]:
        """Every user that is in an artifact, in the order of ids."""
        files = self.home.glob("store/artifacts/*/*/*/**/*.parquet")
        return sorted({value for file in files for value in _texts(file)})

    def erased_rows(self) -> int:
        """Rows that the newest ledgers of all domains count as erased."""
        registry = Registry(f"sqlite:///{self.home / 'registry.db'}", platform="sample")
        with contextlib.closing(registry):
            digests = [registry.latest("raw/events", domain) for domain in load_config(self.domains).domains]
            digests.append(registry.latest("raw/links", None))
        ledgers = self.home.glob("store/artifacts/raw/*/*/ledger.json")
        totals = {p.parent.name: json.loads(p.read_bytes())["totals"] for p in ledgers}
        return sum(totals[d].get("erased", 0) for d in digests if d is not None)


def clean(data: Path, users: Collection[str]) -> None:
    """What an organisation does to its own logs: rows of the users are deleted where the format is text."""
    wanted = set(users)
    for file in (p for p in data.rglob("*") if p.suffix in (".csv", ".jsonl")):
        lines = file.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True)
        kept = [line for line in lines if wanted.isdisjoint(USER.findall(line))]
        file.write_text("".join(kept), encoding="utf-8", errors="surrogateescape")


def sweep(folder: Path, users: int, platform_users: int, events: int) -> list[tuple[str, object]]:
    """Figures of one trial, in the order of the steps."""
    trial = Trial(folder, platform_users, events)
    trial.run()
    known = trial.users()
    chosen = known[:: max(1, len(known) // users)][:users]
    old = Path(shutil.copytree(trial.data, folder / "old copy"))
    expected = oracle(trial.home / "store", chosen)
    artifacts = len(list(trial.home.glob("store/artifacts/*/*/*/manifest.json")))
    before = in_force(trial.home, chosen)
    (folder / "ids.txt").write_text("\n".join(chosen), encoding="utf-8")

    began = time.perf_counter()
    said = trial.hier("forget", "--file", str(folder / "ids.txt"), "--why", "requests", "--keep-old")
    seconds = time.perf_counter() - began
    receipt = said["receipt"]
    found = _told(trial, chosen)
    wrong = [user for user in chosen if found.get(user, {}) != expected.get(user, {})]
    figures: list[tuple[str, object]] = [
        ("users erased, of the platform's", f"{len(chosen)}, {len(known)}"),
        ("artifacts looked at", artifacts),
        ("users whose affected list is not the oracle's", len(wrong)),
        ("pairs of user and artifact in these lists", sum(map(len, expected.values()))),
        ("hits in force before", before),
        ("seconds of hier forget, start of Python included", round(seconds, 1)),
        ("hits in force after it", in_force(trial.home, chosen)),
    ]
    for step in ("logs cleaned and everything made anew", "old raw copy back and everything made anew"):
        if step.startswith("logs"):
            clean(trial.data, chosen)
        else:
            shutil.rmtree(trial.data)
            shutil.copytree(old, trial.data)
        trial.run()
        trial.hier("forget", "--finish")
        stored = oracle(trial.home / "store", chosen)
        figures += [
            (f"{step}: hits in force", in_force(trial.home, chosen)),
            (f"{step}: artifacts in the store that hold or learnt of one", _touched(stored)),
            (f"{step}: rows counted as erased", trial.erased_rows()),
            (f"{step}: receipt", trial.hier("forget", "--verify", receipt["id"])["holds"]),
        ]
    proofs = [trial.hier("forget", "--verify", receipt["id"], "--user", user)["holds"] for user in chosen[:3]]
    return [*figures, ("receipt opens to three of its users", proofs)]


def _told(trial: Trial, users: Collection[str]) -> Oracle:
    """The affected list of every user, as the erasure finds it."""
    registry = Registry(f"sqlite:///{trial.home / 'registry.db'}", platform="sample")
    workshop = Workshop(ArtifactStore(trial.home / "store"), registry)
    erased = erased_of(registry, trial.home)
    if erased is None:
        return {}
    suppressed = {d.facts.get("by") for d in registry.decisions(kinds=("suppressed",))}
    with connect(trial.folder / "scratch") as con:
        found = by_user(reach(con, workshop, erased))
    return {user: {d: g for d, g in of.items() if d not in suppressed} for user, of in found.items()}


def _touched(found: Oracle) -> int:
    return len({digest for of in found.values() for digest in of})


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=1_000)
    parser.add_argument("--platform-users", type=int, default=4_000)
    parser.add_argument("--events", type=int, default=120_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for what, figure in sweep(Path(folder), given.users, given.platform_users, given.events):
            print(f"{what:75} {figure}")


if __name__ == "__main__":
    main()
