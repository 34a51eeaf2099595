"""Hostile input: each case is tried against a store and logs of its own, and must end in a typed refusal.

    python benchmarks/faults/hostile.py [--json] [--small]

The table says what became of each case and with what words, how many marker files its payload made, and how
many files lie outside the store that were not there before. `--small` makes the bombs smaller.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import pickle
import sqlite3
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hier_dag.config.load import check_config
from hier_dag.config.models import PlatformConfig
from hier_dag.digest import canonical_json, digest_of
from hier_dag.errors import HierError
from hier_dag.graph.files import EDGES, load_edges
from hier_dag.ingest.connection import connect
from hier_dag.ingest.events import ingest_domain
from hier_dag.ingest.fingerprint import fingerprint
from hier_dag.publish.aliases import AliasRecords
from hier_dag.publish.reader import VersionRecord, open_set
from hier_dag.publish.reader.records import record_path
from hier_dag.store import ArtifactStore, Manifest
from hier_dag.train.encoding_files import ENCODING, load_encoding
from hier_dag.transfer.save import METHOD, VECTORS, load_vectors

Case = Callable[[Path], Any]
FIELDS: dict[str, Any] = {"kind": "kg/graph", "request_key": "0" * 64, "code_version": "1", "params": {}}
RECORD, OLDER = record_path("cafe", "live", 1), "live/cafe.json"
SQL = "'; drop table log; copy (select 1) to 'MARK'; --"


class Marker:
    """Unpickled, it makes a file called MARK in the working directory."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, ("MARK", "w"))


def declaration(platform: str = "tiny", domain: str = "shop", path: str = "shop.csv") -> str:
    """A declaration, sound but for what is given."""
    return (
        f"platform: {platform}\ndomains:\n  {domain}: {{role: source, sources: {{path: {path}}}}}\n"
        "  cafe: {role: target, sources: {path: shop.csv}}\n"
    )


def declared(text: str) -> Case:
    """Checks a declaration."""

    def case(folder: Path) -> Any:
        (folder / "shop.csv").write_text("user_id,item_id\nu,i\n")
        (folder / "domains.yaml").write_text(text)
        config, issues = check_config(folder / "domains.yaml")
        if config is None:
            raise HierError("; ".join(f"line {i.line}: {i.message}" for i in issues))
        return "accepted"

    return case


def ingested(name: str, write: Callable[[Path], None], **source: Any) -> Case:
    """Ingests one file."""

    def case(folder: Path) -> Any:
        write(folder / name)
        given = source or {"path": name}
        other = {"role": "target", "audience": "platform", "catalogue": {"path": name, "format": "csv"}}
        domains = {"shop": {"role": "source", "sources": [given]}, "other": other}
        config = PlatformConfig.model_validate({"platform": "x", "data": str(folder), "domains": domains})
        inputs = fingerprint(config, config.domains["shop"].sources, "shop")
        out = folder / "store" / "out"
        out.mkdir(parents=True)
        with connect(folder / "store" / "scratch", threads=1) as con:
            ledger = ingest_domain(
                config, "shop", inputs, out, con=con, as_of=datetime(2026, 1, 1, tzinfo=UTC)
            )
        got = [r for p in sorted((out / "events").glob("*")) for r in pq.read_table(p)["user_id"].to_pylist()]
        return f"{ledger.rows_out} rows are data: {got[0]!r}"

    return case


def bomb(mib: int) -> Callable[[Path], None]:
    """A gz of many MiB of one line."""

    def write(path: Path) -> None:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        with path.open("wb") as file:
            file.write(packer.compress(b"user_id,item_id\n"))
            for _ in range(mib):
                file.write(packer.compress(b"u,i\n" * (1 << 18)))
            file.write(packer.flush())

    return write


def sql_table(path: Path) -> None:
    """A SQLite table whose ids are SQL."""
    db = sqlite3.connect(path)
    db.execute("create table log (user_id, item_id)")
    db.execute("insert into log values (?, ?)", (SQL, SQL))
    db.commit()
    db.close()


def parquet(ids: list[str]) -> Callable[[Path], None]:
    """A Parquet log of these ids."""
    return lambda path: pq.write_table(pa.table({"user_id": ids, "item_id": ids}), path)


def equal_rows(path: Path) -> None:
    """A small Parquet file of 80 million equal rows."""
    part = pa.table({"user_id": ["u"] * 2_000_000, "item_id": ["i"] * 2_000_000})
    with pq.ParquetWriter(path, part.schema) as writer:
        for _ in range(40):
            writer.write_table(part, row_group_size=2_000_000)


def pickled(name: str, read: Callable[[Path], Any]) -> Case:
    """A pickle under the name of a file that an artifact holds."""

    def case(folder: Path) -> Any:
        store = folder / "store"
        store.mkdir()
        (store / METHOD).write_text('{"method": "closed_form"}')
        (store / name).write_bytes(pickle.dumps(Marker()))
        return read(store)

    return case


def committed(put: Callable[[Path], None]) -> Case:
    """Commits an artifact with something among its files."""

    def case(folder: Path) -> Any:
        store = ArtifactStore(folder / "store")
        with store.stage("kg/graph") as staged:
            (staged / "a").write_bytes(b"a")
            put(staged)
            return store.commit(staged, Manifest(**FIELDS)).path

    return case


def replaced(change: Callable[[Path, Path], None]) -> Case:
    """Opens an artifact after something of it was put in another place and linked."""

    def case(folder: Path) -> Any:
        store = ArtifactStore(folder / "store")
        with store.stage("kg/graph") as staged:
            (staged / "deep").mkdir()
            (staged / "deep" / "a").write_bytes(b"a")
            artifact = store.commit(staged, Manifest(**FIELDS))
        (folder / "store" / "aside").mkdir()
        change(artifact.path, folder / "store" / "aside")
        return ArtifactStore(folder / "store").open("kg/graph", artifact.digest).path

    return case


def swap(name: str) -> Callable[[Path, Path], None]:
    """Moves a file or folder of an artifact away and leaves a link to it."""

    def change(path: Path, aside: Path) -> None:
        there = path / name if name else path
        there.rename(aside / "moved")
        there.symlink_to(aside / "moved")

    return change


def record_of(domain: str = "cafe") -> VersionRecord:
    """A record of version 1, sound but for what is given."""
    return VersionRecord(domain, "live", 1, "0" * 64, "publish", "first", None, "me", "", "")


def alias(data: bytes, name: str = RECORD) -> Case:
    """Opens a published set by a version record, or the older alias file, that holds what is given."""

    def case(folder: Path) -> Any:
        file = folder / "store" / name
        file.parent.mkdir(parents=True)
        file.write_bytes(data)
        return open_set(folder / "store", "cafe")

    return case


def led_away() -> bytes:
    """A record that vouches for itself and names a set in another place."""
    content = {"format": 1, **asdict(record_of()), "digest": "../../../../x"}
    return canonical_json({**content, "sha256": digest_of(content)})


def linked(use: Callable[[Path], Any]) -> Case:
    """Uses an alias whose record is a link to a file outside."""

    def case(folder: Path) -> Any:
        file = folder / "store" / RECORD
        file.parent.mkdir(parents=True)
        file.symlink_to(folder / "new_file_outside")
        return use(folder / "store")

    return case


def cases(mib: int) -> Iterator[tuple[str, str, Case]]:
    """(group, case, what to do) of every trial."""
    for name in ("../shop", "/etc", "a/b", '"shop\\n"'):
        yield "path traversal", f"domain {name}", declared(declaration(domain=name))
        yield "path traversal", f"platform {name}", declared(declaration(platform=name))
    yield "path traversal", "path ../shop.csv", declared(declaration(path="../shop.csv"))
    for path in ("../evil", "/etc/passwd", "a/../../b"):
        entry = {"path": path, "sha256": "0" * 64, "bytes": 0}
        yield "path traversal", f"manifest file {path}", lambda _, e=entry: Manifest(**FIELDS, files=[e])
    yield "path traversal", "manifest partition", lambda _: Manifest(**FIELDS, partition="../x")
    yield "path traversal", "kind", lambda f: ArtifactStore(f / "store").open("../../x", "0" * 64)
    yield "path traversal", "digest", lambda f: ArtifactStore(f / "store").open("kg/graph", "../../../x")
    yield "path traversal", "alias of ../x", lambda f: open_set(f / "store", "../x")
    yield (
        "path traversal",
        "alias of ../x written",
        lambda f: AliasRecords(f / "store").write(record_of("../x")),
    )
    yield "path traversal", "digest in a version record", alias(led_away())
    older = canonical_json({"domain": "cafe", "version": 1, "digest": "../../../../x"})
    yield "path traversal", "digest in the older alias file", alias(older, OLDER)
    yield "link", "staged file", committed(lambda s: (s / "b").symlink_to("/etc/passwd"))
    yield "link", "staged folder", committed(lambda s: (s / "b").symlink_to("/etc"))
    yield "link", "staged pipe", committed(lambda s: os.mkfifo(s / "b"))
    for name in ("", "deep", "deep/a", "manifest.json"):
        yield "link", f"artifact's {name or 'own folder'}", replaced(swap(name))
    yield "link", "version record read", linked(lambda root: open_set(root, "cafe"))
    yield "link", "version record written", linked(lambda root: AliasRecords(root).write(record_of()))
    for url in ("sqlite:///a?plugin=evil", "sqlite:///file:/etc/x?uri=true", "sqlite:///../a", "sqlite://",
                "postgresql://h/d?options=-cx", "mysql://h/d?local_infile=1",
                "mysql://h/d?read_default_file=/etc/my.cnf", "mysql://h/d?init_command=x"):  # fmt: skip
        text = declaration().replace("{path: shop.csv}}", f"{{sql: '{url}', table: log}}}}", 1)
        yield "URL option", url, declared(text)
    table = declaration().replace(
        "{path: shop.csv}}", "{sql: 'sqlite:///a', table: 'log; drop table log'}}", 1
    )
    yield "SQL", "table name", declared(table)
    for name in ("log.parquet",):
        yield "SQL", f"ids in {name}", ingested(name, parquet([SQL]))
    yield "SQL", "ids in SQLite", ingested("log.db", sql_table, sql="sqlite:///log.db", table="log")
    yield "SQL", "column name", ingested("a.csv", lambda p: p.write_text("user_id,item_id\nu,i\n") and None,
                                         path="a.csv", columns={"user_id": SQL})  # fmt: skip
    yield "YAML", "python tag", declared(declaration(platform="!!python/object/apply:os.mkdir [MARK]"))
    laughs = "\n".join(
        ["a0: &a0 [x]", *(f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 12))]
    )
    yield "YAML", "billion laughs", declared(laughs)
    yield "YAML", "nested 100,000 deep", declared("[" * 100_000)
    yield "YAML", "2 MiB", declared("#" * (2 << 20))
    yield "bomb", f"gz of {mib} MiB", ingested("a.csv.gz", bomb(mib))
    yield "bomb", "Parquet of 80 million equal rows", ingested("a.parquet", equal_rows)
    endless = b"user_id,item_id\n" + b"x" * (20 << 20)
    yield "bomb", "line without end", ingested("a.csv", lambda p: p.write_bytes(endless) and None)
    yield (
        "bomb",
        "gz line without end",
        ingested("a.csv.gz", lambda p: p.write_bytes(gzip.compress(endless)) and None),
    )
    yield "pickle", "graph edges", pickled(EDGES, load_edges)
    yield "pickle", "encoding", pickled(ENCODING, load_encoding)
    yield "pickle", "transferred vectors", pickled(VECTORS, load_vectors)
    yield "pickle", "version record", alias(pickle.dumps(Marker()))
    yield "pickle", "older alias file", alias(pickle.dumps(Marker()), OLDER)
    for name in ("a.parquet", "a.csv", "a.csv.gz", "a.jsonl"):
        yield (
            "pickle",
            f"log {name}",
            ingested(name, lambda p: p.write_bytes(pickle.dumps(Marker())) and None),
        )


def trial(group: str, name: str, case: Case) -> dict[str, Any]:
    """Runs one case in a folder of its own."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text) / "inner"
        folder.mkdir()
        os.chdir(folder)
        try:
            outcome, message = "data", str(case(folder))
        except HierError as error:
            outcome, message = "refused", str(error)
        except ValueError as error:  # pydantic: a manifest that no reader would accept
            outcome, message = "refused", str(error).replace("\n", " ")
        finally:
            os.chdir("/")
        inside = [p for p in folder.rglob("*") if p.is_file() and "store" in p.relative_to(folder).parts]
        made = {p for p in Path(text).rglob("*") if p.is_file()} - set(inside)
        given = {"shop.csv", "domains.yaml", "log.parquet", "log.db"}
        strange = [p for p in made if p.name not in given and not p.name.startswith("a.")]
        marks = [p for p in Path(text).rglob("MARK")]
    return {
        "group": group,
        "case": name,
        "outcome": outcome,
        "marker files": len(marks),
        "files outside": len(strange),
        "message": message[:160],
    }


def main() -> None:
    """Tries every case and prints the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--small", action="store_true")
    given = arguments.parse_args()
    rows = [trial(*one) for one in cases(256 if given.small else 8_192)]
    if given.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    for row in rows:
        print(" | ".join(str(v) for v in row.values()))
    counts = {k: sum(r["outcome"] == k for r in rows) for k in ("refused", "data")}
    print(f"{len(rows)} cases: {counts['refused']} refused, {counts['data']} flowed through as data; "
          f"{sum(r['marker files'] for r in rows)} marker files, "
          f"{sum(r['files outside'] for r in rows)} files outside the store")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
