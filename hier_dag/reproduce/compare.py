"""Two artifacts compared: which files differ, and the first value in which they do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from safetensors.numpy import load_file

from hier_dag.reproduce.dependent import ALL, Free, free_in
from hier_dag.store import Artifact, Manifest

_LONGEST = 200
_MANIFEST = "manifest.json"
_TOLD_BY_VALUE = (".parquet", ".safetensors", ".json")
_DECIDED_HERE = frozenset({"device", "threads", "processes"})
"""Figures of a summary that say how a work was done; they are compared as conditions, not as contents."""


@dataclass(frozen=True)
class Difference:
    """The first value in which two artifacts differ.

    Attributes:
        file: the file; `manifest.json` for what a manifest says beside its files.
        column: column of a table, name of an array, path in JSON; empty where bytes alone differ.
        row: row of a table from 1, position in an array or a file from 0; None where there is none.
        recorded: what it was.
        now: what it is.
    """

    file: str
    column: str
    row: int | None
    recorded: str
    now: str

    def as_json(self) -> dict[str, Any]:
        """It as a JSON-serialisable record."""
        return asdict(self)


def differing_files(recorded: Manifest, now: Manifest) -> list[str]:
    """Names of files that only one has or whose digests differ, in order."""
    one, two = ({f.path: f.sha256 for f in m.files} for m in (recorded, now))
    return sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))


def contents(manifest: Manifest) -> dict[str, Any]:
    """What a manifest says beside environment, files and how the work was done."""
    value = manifest.model_dump(exclude={"environment", "files"})
    value["summary"] = {k: v for k, v in manifest.summary.items() if k not in _DECIDED_HERE}
    return value


def _nothing(_: str) -> bool:
    return False


def differences(recorded: Artifact, now: Artifact, *, bounded: bool = False) -> Iterator[Difference]:
    """The first value that differs in each file, then in the manifests; where values agree there is none.

    Args:
        recorded: the artifact as it is stored.
        now: as it was built again.
        bounded: leaves out what follows from trained vectors, whose distance `figures_of` tells.
    """
    kind = recorded.manifest.kind
    # What is drawn or indexed from tables and arrays comes last: those tell columns and rows.
    names = differing_files(recorded.manifest, now.manifest)
    for name in sorted(names, key=lambda name: (not name.endswith(_TOLD_BY_VALUE), name)):
        free = free_in(kind, name) if bounded else _nothing
        found = first_difference(recorded.path / name, now.path / name, name, free)
        if found is not None:
            yield found
    free = free_in(kind, _MANIFEST) if bounded else _nothing
    found = _json_difference(_MANIFEST, contents(recorded.manifest), contents(now.manifest), free=free)
    if found is not None:
        yield found


def first_difference(recorded: Path, now: Path, name: str, free: Free = _nothing) -> Difference | None:
    """The first value in which two files differ; None where only their bytes do.

    Args:
        recorded: the file as it was.
        now: the file as it is; either may be missing.
        name: what it is called in its artifact.
        free: columns, arrays of floats and numbers in JSON that may differ; types and shapes may not.
    """
    if not (recorded.is_file() and now.is_file()):
        return Difference(name, "", None, *("there" if p.is_file() else "missing" for p in (recorded, now)))
    if name.endswith(".parquet"):
        return _table_difference(name, pq.read_table(recorded), pq.read_table(now), free)
    if name.endswith(".safetensors"):
        return _array_difference(name, load_file(recorded), load_file(now), free)
    if name.endswith(".json"):
        return _json_difference(name, *(json.loads(p.read_bytes()) for p in (recorded, now)), free=free)
    return None if free(ALL) else _byte_difference(name, recorded.read_bytes(), now.read_bytes())


def _table_difference(name: str, recorded: pa.Table, now: pa.Table, free: Free) -> Difference | None:
    if recorded.schema != now.schema:
        one, two = ({f.name: str(f.type) for f in t.schema} for t in (recorded, now))
        column = next((c for c in [*one, *two] if one.get(c) != two.get(c)), "")
        if column:
            return Difference(name, column, None, one.get(column, "missing"), two.get(column, "missing"))
    if free(ALL):
        return None
    if recorded.num_rows != now.num_rows:
        return Difference(name, "", None, f"{recorded.num_rows:,} rows", f"{now.num_rows:,} rows")
    names = [column for column in recorded.column_names if not free(column)]
    rows = {column: _first_row(recorded[column], now[column]) for column in names}
    found = [(row, column) for column, row in rows.items() if row is not None]
    if not found:
        return None
    row, column = min(found, key=lambda pair: pair[0])
    return Difference(name, column, row + 1, *(_short(t[column][row].as_py()) for t in (recorded, now)))


def _first_row(recorded: pa.ChunkedArray, now: pa.ChunkedArray) -> int | None:
    """The first row in which two columns differ; nulls are equal, and so are NaNs."""
    one, two = (column.combine_chunks() for column in (recorded, now))
    if one.equals(two):
        return None
    if pa.types.is_nested(one.type):  # Arrow compares no lists element by element
        low, high = 0, len(one)
        while high - low > 1:
            middle = (low + high) // 2
            same = one.slice(low, middle - low).equals(two.slice(low, middle - low))
            low, high = (middle, high) if same else (low, middle)
        return low
    both_null = pc.and_(pc.is_null(one), pc.is_null(two))
    same = pc.or_(pc.fill_null(pc.equal(one, two), False), both_null)
    if pa.types.is_floating(one.type):
        nan = [pc.fill_null(pc.is_nan(c), False) for c in (one, two)]
        same = pc.or_(same, pc.and_(*nan))
    row = pc.index(same, False).as_py()
    return None if row < 0 else int(row)


def _array_difference(
    name: str, recorded: Mapping[str, np.ndarray], now: Mapping[str, np.ndarray], free: Free
) -> Difference | None:
    for key in sorted(recorded.keys() | now.keys()):
        one, two = recorded.get(key), now.get(key)
        shapes = ["missing" if a is None else f"{a.dtype}{list(a.shape)}" for a in (one, two)]
        if one is None or two is None or shapes[0] != shapes[1]:
            return Difference(name, key, None, *shapes)
        if free(key) and np.issubdtype(one.dtype, np.floating):
            continue
        if one.tobytes() != two.tobytes():
            different = one.reshape(-1).view(f"V{one.itemsize}") != two.reshape(-1).view(f"V{two.itemsize}")
            at = int(np.argmax(different))
            return Difference(name, key, at, *(_short(a.reshape(-1)[at].item()) for a in (one, two)))
    return None


def _json_difference(name: str, recorded: Any, now: Any, path: str = "", *, free: Free) -> Difference | None:
    if isinstance(recorded, dict) and isinstance(now, dict):
        for key in sorted(recorded.keys() | now.keys()):
            one, two = recorded.get(key, "missing"), now.get(key, "missing")
            found = _json_difference(name, one, two, f"{path}.{key}".lstrip("."), free=free)
            if found is not None:
                return found
        return None
    if isinstance(recorded, list) and isinstance(now, list) and len(recorded) == len(now):
        pairs = enumerate(zip(recorded, now, strict=True))
        found_in = (_json_difference(name, a, b, f"{path}[{at}]", free=free) for at, (a, b) in pairs)
        return next((found for found in found_in if found is not None), None)
    if recorded == now or (
        free(path) and all(v is None or isinstance(v, int | float) for v in (recorded, now))
    ):
        return None
    return Difference(name, path, None, _short(recorded), _short(now))


def _byte_difference(name: str, recorded: bytes, now: bytes) -> Difference:
    length = min(len(recorded), len(now))
    one, two = (np.frombuffer(data, np.uint8, count=length) for data in (recorded, now))
    unlike = one != two
    at = int(np.argmax(unlike)) if unlike.any() else length
    return Difference(name, "", at, *(_short(data[at : at + 16].hex()) for data in (recorded, now)))


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
