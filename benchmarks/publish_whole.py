"""How much memory the build of a whole published set takes, step by step.

    python -m benchmarks.publish_whole [--users 9000000] [--items 1000000] [--dim 64] [--folder DIR] [--json]

Users, items and pairs are generated, and lie where the pipeline has them: a graph's tables and a model's
`vectors.safetensors`. `build_set` then makes a first set; and one of vectors turned by a rotation, which it
compares with the first and turns back. Each is made in a process of its own, and memory is what is held
beyond the imports (`step_memory.py`), the graph's ids included. What it writes is deleted.

`--python-ids` has the graph's ids as Python's strings, as a whole `KnowledgeGraph` has them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from safetensors.numpy import save_file

from benchmarks.publish import STEPS, generate
from benchmarks.step_memory import StepMemory
from hier_dag.builds import published_set
from hier_dag.builds.published_set import SetOf, build_set
from hier_dag.config.stages import PublishParams
from hier_dag.conservation import Flow, write_flows
from hier_dag.graph.files import AUDIENCE, CATALOGUE, ITEMS, USERS, splits_file
from hier_dag.ingest.connection import connect
from hier_dag.publish import files
from hier_dag.publish.files import INDEX
from hier_dag.publish.platform import read_platform
from hier_dag.publish.space.alignment import align_to_disk
from hier_dag.store import ArtifactStore, Manifest
from hier_dag.transfer.flows import AUDIENCE_TO_VECTORS, CATALOGUE_TO_VECTORS
from hier_dag.transfer.save import METHOD, VECTORS

DOMAIN = "target"
_SET, _MODEL = "publish/embeddings", "transfer/model"
_GB, _SECONDS = ("anonymous", "mapped", "all", "disk"), ("seconds", "cpu")
_BUILD = (
    "load_vectors", "judge", "align_to_disk", "write_set", "publish_flows", "audit_embeddings",
    "check_coverage",
)  # fmt: skip


def main() -> None:
    """Makes both sets and prints what each step held."""
    args = _arguments()
    if args.part:
        print(json.dumps(_build(args)))
        return
    size = 4 * args.dim * (args.users + args.items)
    needed = 6 * size  # a model, the anchor, turned vectors, and the set with its index; while made, a copy
    free = shutil.disk_usage(args.folder).free
    if free < needed:
        sys.exit(f"needs {needed / 1e9:.1f} GB in {args.folder}, where {free / 1e9:.1f} GB are free")
    told: dict[str, Any] = {"users": args.users, "items": args.items, "dim": args.dim}
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        args.folder = Path(folder)
        _write_graph(args)
        for part in ("first", "turned"):
            args.model = _write_model(args, turned=part == "turned")
            told[part] = _in_process(args, part)
            args.anchor = told[part]["digest"]
            if not args.json:
                _print(part, told[part])
    if args.json:
        print(json.dumps(told))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    for name, default in (("users", 9_000_000), ("items", 1_000_000), ("dim", 64), ("pairs", 5_000_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--python-ids", action="store_true", help="ids as Python's strings, not Arrow's")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--json", action="store_true")
    for name in ("part", "model", "anchor"):
        parser.add_argument(f"--{name}", help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_process(args: argparse.Namespace, part: str) -> dict[str, Any]:
    options = [f"--part={part}", f"--folder={args.folder}", f"--model={args.model}"]
    options += [f"--anchor={args.anchor}"] if args.anchor else []
    options += ["--python-ids"] if args.python_ids else []
    command = [sys.executable, "-m", "benchmarks.publish_whole", *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return dict(json.loads(done.stdout))


def _write_graph(args: argparse.Namespace) -> None:
    """The tables of a graph that publication reads, all users and items in its one domain."""
    graph, rng = args.folder / "graph", np.random.default_rng(0)
    for file in (USERS, splits_file(DOMAIN)):
        (graph / file).parent.mkdir(parents=True, exist_ok=True)
    ids = {}
    for kind, rows in (("user", args.users), ("item", args.items)):
        digits = pc.utf8_lpad(pa.array(np.arange(rows)).cast(pa.string()), 8, "0")
        ids[kind] = pc.binary_join_element_wise(kind[0], digits, "")
    pq.write_table(pa.table({"user_id": ids["user"]}), graph / USERS)
    pq.write_table(pa.table({"item_id": ids["item"], "name": ids["item"]}), graph / ITEMS)
    for file, kind, rows in ((AUDIENCE, "user", args.users), (CATALOGUE, "item", args.items)):
        domain = pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), [DOMAIN]).cast(pa.string())
        pq.write_table(pa.table({"domain": domain, kind: np.arange(rows)}), graph / file)
    n = args.pairs
    pairs = {
        "user": rng.integers(0, args.users, n),
        "item": rng.integers(0, args.items, n),
        "split": np.zeros(n, np.int8),
        "shot_rank": np.zeros(n, np.int32),
        "share_rank": np.zeros(n),
        "weight": np.zeros(n, np.float32),
    }
    pq.write_table(pa.table(pairs), graph / splits_file(DOMAIN))


def _write_model(args: argparse.Namespace, *, turned: bool) -> str:
    """A model's vectors and ledger; turned by a rotation, in place of the model before."""
    store, arrays = ArtifactStore(args.folder / "store"), {}
    if args.model:
        shutil.rmtree(store.path_of(_MODEL, args.model))
    rotation = np.linalg.qr(np.random.default_rng(5).standard_normal((args.dim, args.dim)))[0]
    for name, rows in (("user", args.users), ("item", args.items)):
        generate(args.folder / name, rows, args.dim, "clustered", items=name == "item")
        vectors = np.fromfile(args.folder / name, np.float32).reshape(rows, args.dim)
        (args.folder / name).unlink()
        arrays[f"{name}s"] = np.arange(rows)
        arrays[f"{name}_vectors"] = align_to_disk(vectors, rotation, args.folder) if turned else vectors
        arrays[f"{name}_origin"] = np.random.default_rng(3).integers(0, 3, rows, np.int8)
    with store.stage(_MODEL) as staged:
        save_file(arrays, staged / VECTORS)
        (staged / METHOD).write_text(json.dumps({"method": "closed_form"}))
        flows = [
            Flow(AUDIENCE_TO_VECTORS, "users", args.users, {"trained": args.users}, domain=DOMAIN),
            Flow(CATALOGUE_TO_VECTORS, "items", args.items, {"trained": args.items}, domain=DOMAIN),
        ]
        write_flows(flows, staged)
        return store.commit(staged, _manifest(_MODEL)).digest


def _manifest(kind: str, summary: dict[str, Any] | None = None) -> Manifest:
    return Manifest(kind=kind, request_key="0" * 64, code_version="1", params={}, summary=summary or {})


def _build(args: argparse.Namespace) -> dict[str, Any]:
    """Makes a set as the asset does, and what it held meanwhile."""
    store = ArtifactStore(args.folder / "store")
    opened = {
        kind: digest and store.open(kind, digest, verify=False)
        for kind, digest in ((_MODEL, args.model), (_SET, args.anchor))
    }
    watch = StepMemory(args.folder)
    with watch.step("all"), ExitStack() as stack:
        with watch.step("graph"):
            graph, names = _platform(args.folder / "graph", args.python_ids)
        of = SetOf(
            DOMAIN, graph, names, opened[_MODEL], {"model": args.model, "encoder": "e" * 64}, opened[_SET]
        )
        for module, steps in ((published_set, _BUILD), (files, STEPS)):
            stack.enter_context(_watched(module, steps, watch))
        con = stack.enter_context(connect(args.folder / "scratch"))
        staged = stack.enter_context(store.stage(_SET))
        built = build_set(of, PublishParams(), staged, con)
        artifact = store.commit(staged, _manifest(_SET, built.summary), built.known)
    watch.close()
    return {
        "digest": artifact.digest,
        "bytes": sum(entry.bytes for entry in artifact.manifest.files),
        "index_bytes": next(entry.bytes for entry in artifact.manifest.files if entry.path == INDEX),
        "turned": built.summary["turned"],
        "failed": [check.name for check in built.checks if not check.passed],
        "steps": watch.steps,
    }


def _watched(module: ModuleType, names: tuple[str, ...], watch: StepMemory) -> Any:
    def watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            with watch.step(name.strip("_")):
                return function(*args, **more)

        return call

    return mock.patch.multiple(module, **{name: watched(name, getattr(module, name)) for name in names})


def _platform(folder: Path, python_ids: bool) -> tuple[Any, Any]:
    """The graph and its items' names, as the asset reads them; or with Python's strings."""
    found = read_platform(folder, DOMAIN)
    if not python_ids:
        return found, found.item_names
    as_objects = {
        name: getattr(found, name).to_numpy(zero_copy_only=False)
        for name in ("user_ids", "item_ids", "item_names")
    }
    return replace(found, **as_objects), as_objects["item_names"]


def _print(part: str, told: dict[str, Any]) -> None:
    size, index = told["bytes"] / 1e9, told["index_bytes"] / 1e9
    print(f"{part}: {size:.2f} GB with an index of {index:.2f}; turned: {told['turned']}; ", end="")
    print(f"failed: {told['failed'] or 'nothing'}; {told['digest'][:12]}")
    print(f"{'most GB beyond the start':26}" + "".join(f"{what:>10}" for what in (*_GB, *_SECONDS)))
    for name, step in told["steps"].items():
        figures = [step[what] / 1e9 for what in _GB] + [step[what] for what in _SECONDS]
        print(f"  {name:24}" + "".join(f"{figure:10.2f}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
