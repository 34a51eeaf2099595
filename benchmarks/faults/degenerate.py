"""Degenerate domains: one domain with next to nothing in its log, as target and as source.

    python benchmarks/faults/degenerate.py [--json] [--small]

Each case puts a new domain in the place of one of the sample platform's, and runs the whole pipeline for
two targets. The table says whether it was published or refused (and with what words), how many NaN or zero
vectors any published set holds, and what became of the other target. A domain that was well before and turns
degenerate is refused earlier, by the expectations of its events. `--small` leaves out half of the cases.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from hier_dag.errors import HierError
from hier_dag.home import SAMPLE_DOMAINS
from hier_dag.publish.reader import open_set
from hier_dag.publish.reader.places import LocalPlace
from hier_dag.publish.reader.records import published_domains
from hier_dag.sample.generate import generate
from hier_dag.sample.params import SampleParams

TARGET, SOURCE, OTHER = "recipes", "local_guide", "grocery"
NEW = "degenerate"
STAGES: dict[str, Any] = {
    "pretrain": {
        "dim": 16,
        "intents": 4,
        "exemplars": 8,
        "epochs": 2,
        "batch_size": 256,
        "negatives": 64,
        "threads": 1,
    },
    "gates": {"encoder": "warn", "transfer": "warn", "collapse": {"level": "warn"}},
    "transfer": {"shots": ["1"], "seeds": [0], "bootstrap": 50, "finetune_epochs": 1},
}
_RAW = {
    TARGET: ("logs/recipes.csv.gz", ("cook", "recipe", "saved_at"), 1e6),
    SOURCE: ("logs/local_guide.csv", ("visitor", "place", "epoch"), 1e6),
}
EARLY, VALIDATES, TESTS = (np.datetime64(day, "s") for day in ("2026-03-01", "2026-06-05", "2026-06-20"))

Text = NDArray[np.object_]
Log = tuple[Text, Text, NDArray[Any]]
"""Users, items and times (ISO text or datetime64) of a log's rows."""


def _spread(n: int) -> NDArray[Any]:
    """Times over all three parts of the split, most of them in training."""
    return np.resize(np.array([EARLY, EARLY, EARLY, VALIDATES, TESTS]), n)


def _text(prefix: str, n: int) -> Text:
    return np.array([f"{prefix}{k}" for k in range(n)], dtype=object)


def _one(ids: Text) -> Text:
    return np.full(len(ids), ids[0], dtype=object)


CASES: dict[str, Callable[[Log], Log]] = {
    "no events": lambda log: (log[0][:0], log[1][:0], log[2][:0]),
    "one event": lambda log: (log[0][:1], log[1][:1], np.array([EARLY])),
    "one user": lambda log: (_one(log[0]), log[1], _spread(len(log[0]))),
    "one item": lambda log: (log[0], _one(log[1]), _spread(len(log[0]))),
    "no overlap": lambda log: ("own:" + log[0], "own:" + log[1], log[2]),
    "all cold": lambda log: ("new:" + log[0], log[1], log[2]),
    "hub user": lambda log: (
        np.append(_one(np.unique(log[1])), log[0][:5]),
        np.append(np.unique(log[1]), log[1][:5]),
        _spread(len(np.unique(log[1])) + 5),
    ),
    "hub item": lambda log: (
        np.append(np.unique(log[0]), log[0][:5]),
        np.append(_one(np.unique(log[0])), log[1][:5]),
        _spread(len(np.unique(log[0])) + 5),
    ),
    "training alone": lambda log: (log[0], log[1], np.full(len(log[0]), EARLY)),
    "validation alone": lambda log: (log[0], log[1], np.full(len(log[0]), VALIDATES)),
    "test alone": lambda log: (log[0], log[1], np.full(len(log[0]), TESTS)),
    "all quarantined": lambda log: (log[0], log[1], np.full(len(log[0]), "never", dtype=object)),
    "one pair repeated": lambda log: (_one(log[0]), _one(log[1]), _spread(len(log[0]))),
}
SMALL = ("no events", "one user", "one item", "no overlap", "test alone", "all quarantined")


def read_log(data: Path, domain: str) -> Log:
    """The rows of a domain's log as the sample wrote it, unusable ones left out."""
    path, names, _ = _RAW[domain]
    table = pacsv.read_csv(data / path, convert_options=pacsv.ConvertOptions(
        include_columns=list(names), column_types=dict.fromkeys(names, pa.string())))  # fmt: skip
    user, item = (table[n].to_numpy(zero_copy_only=False).astype(object) for n in names[:2])
    sound = np.array([bool(u) and bool(i) and str(u).isascii() for u, i in zip(user, item, strict=True)])
    return user[sound], item[sound], _spread(int(sound.sum()))


def write_log(file: Path, log: Log) -> None:
    """Writes a log as a CSV with the columns user_id, item_id and event_time."""
    table = pa.table(
        {
            "user_id": pa.array(log[0], pa.string()),
            "item_id": pa.array(log[1], pa.string()),
            "event_time": pa.array(np.asarray(log[2]).astype(str).astype(object), pa.string()),
        }
    )
    pacsv.write_csv(table, file)


def declared(role: str, file: str) -> dict[str, Any]:
    """The declaration of a degenerate domain; any share of its rows may be quarantined."""
    columns = {"user_id": "user_id", "item_id": "item_id", "event_time": "event_time"}
    return {"role": role, "max_quarantined": 1.0, "sources": {"path": file, "columns": columns}}


def prepare(folder: Path, users: int, events: int) -> Path:
    """Writes a sample platform and its declaration; returns the declaration's path."""
    generate(folder / "data", SampleParams(users=users, events=events))
    whole = yaml.safe_load(SAMPLE_DOMAINS.read_text(encoding="utf-8"))
    file = folder / "domains.yaml"
    file.write_text(yaml.safe_dump({**whole, "data": "data", "stages": STAGES}), encoding="utf-8")
    return file


def break_domain(file: Path, domain: str, case: str) -> None:
    """Puts the domain `NEW` in the place of one, in a declaration that `prepare` wrote."""
    whole = yaml.safe_load(file.read_text(encoding="utf-8"))
    data = file.parent / "data"
    role = whole["domains"].pop(domain)["role"]
    if case == "catalogue alone":
        items = pa.array(np.unique(read_log(data, domain)[1]), pa.string())
        pacsv.write_csv(pa.table({"item_id": items}), data / "degenerate.csv")
        whole["domains"][NEW] = {
            "role": role, "catalogue": {"path": "degenerate.csv"}, "audience": "platform",
        }  # fmt: skip
    else:
        write_log(data / "degenerate.csv", CASES[case](read_log(data, domain)))
        whole["domains"][NEW] = declared(role, "degenerate.csv")
    file.write_text(yaml.safe_dump(whole), encoding="utf-8")


def flaws(folder: Path) -> int:
    """NaN, infinite and zero vectors in every live set below a platform's state."""
    bad = 0
    for domain in published_domains(LocalPlace(folder)):
        opened = open_set(folder, domain)
        for name in ("users.parquet", "items.parquet"):
            table = pq.read_table(opened.file(name))
            flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
            rows = flat.reshape(table.num_rows, -1) if table.num_rows else np.empty((0, 1))
            bad += int((~np.isfinite(rows).all(axis=1) | ~rows.any(axis=1)).sum())
    return bad


def vectors_of(folder: Path, domain: str) -> bytes | None:
    """Digests of a live set's vector files, None where nothing is live."""
    try:
        files = open_set(folder, domain).files.manifest["files"]
    except HierError:
        return None
    return "".join(sorted(f["sha256"] for f in files if "parquet" in f["path"])).encode()


def run(file: Path, state: Path, *targets: str) -> dict[str, Any]:
    """`hier run` for some targets; its JSON, or the message of a refusal before the first step."""
    command = [sys.executable, "-m", "hier_dag.cli.app", "run", str(file), "--json"]
    command += [word for target in targets for word in ("--target", target)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HIER_", "DAGSTER_"))}
    root = str(Path(__file__).resolve().parents[2])
    environment |= {"HIER_HOME": str(state), "PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout) if done.stdout.startswith("{") else {"message": done.stderr.strip()}
    return {"steps": [], **answer}


def cases(small: bool) -> Iterator[tuple[str, str]]:
    """(domain, case) of every trial."""
    for domain in (TARGET, SOURCE):
        chosen = [c for c in CASES if not small or c in SMALL]
        yield from ((domain, c) for c in [*chosen, "catalogue alone"])


def trial(base: Path, domain: str, case: str) -> dict[str, Any]:
    """Runs one case on a copy of the finished platform."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(shutil.copytree(base, Path(name) / "p"))
        state = folder / "state" / "sample"
        before = vectors_of(state, OTHER)
        break_domain(folder / "domains.yaml", domain, case)
        answer = run(folder / "domains.yaml", folder / "state", OTHER, *([NEW] if domain == TARGET else []))
        bad = [s for s in answer["steps"] if s["outcome"] == "failed"]
        other = [s["outcome"] for s in answer["steps"] if s["step"].endswith(f"[{OTHER}]")][-1:]
        same = vectors_of(state, OTHER) == before
        return {
            "role": "target" if domain == TARGET else "source",
            "case": case,
            "outcome": f"refused at {bad[0]['step']}" if bad else "finished" if other else "refused",
            "bad vectors": flaws(state),
            "other target": f"{other[0] if other else 'untouched'}, {'same bytes' if same else 'new bytes'}",
            "message": bad[0]["message"] if bad else answer.get("message", ""),
        }


def main() -> None:
    """Runs every case and prints the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--small", action="store_true")
    given = arguments.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        base = Path(name) / "base"
        file = prepare(base, users=600, events=12_000)
        if not run(file, base / "state", TARGET, OTHER)["steps"]:
            raise SystemExit("the sample platform itself does not run")
        for domain, case in cases(given.small):
            row = trial(base, domain, case)
            rows.append(row)
            if not given.json:
                print(" | ".join(str(v) for v in row.values()), flush=True)
    if given.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
