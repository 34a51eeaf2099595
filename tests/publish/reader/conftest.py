"""Published sets written with pyarrow and FAISS alone: readers are held against the format alone."""

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.publish.reader import VersionRecord, open_set

SPACE = "0123456789abcdef"


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def flat(vectors):
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index


def hnsw(vectors):
    index = faiss.IndexHNSWFlat(vectors.shape[1], 8, faiss.METRIC_INNER_PRODUCT)
    index.add(vectors)
    return index


def ivf(vectors, probes=1, lists=8):
    """Lists over one coordinate more, and few of them looked into: it comes back short on purpose."""
    n, dim = vectors.shape
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim + 1), dim + 1, lists, faiss.METRIC_INNER_PRODUCT)
    wider = np.concatenate([vectors, np.ones((n, 1), np.float32)], axis=1)
    index.train(wider)
    index.add(wider)
    index.nprobe = probes
    return faiss.IndexPreTransform(faiss.RemapDimensionsTransform(dim, dim + 1, False), index)


def quantised(vectors):
    """Eight bits a coordinate: what it says of scores is not the inner product."""
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(vectors.shape[1]), vectors.shape[1], 4, faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
    )  # fmt: skip
    index.train(vectors)
    index.add(vectors)
    index.nprobe = 4
    return index


INDEXES = {"flat": flat, "hnsw": hnsw, "ivf": ivf, "quantised": quantised, "none": None}


@dataclass
class Written:
    """A root that holds sets of one domain."""

    root: Path
    domain: str = "cafe"

    def folder(self, digest):
        return self.root / "store/artifacts/publish/embeddings" / digest

    def record(self, version, alias="live"):
        return self.root / "live" / self.domain / alias / f"{version:012d}.json"

    def write(
        self,
        users,
        items,
        seen=(),
        *,
        index="flat",
        group=16_384,
        format=2,
        names=None,
        origins=None,
        **facts,
    ):
        """Writes a set; `users` and `items` map ids to vectors. Returns its digest."""
        staged = self.root / "staged"
        staged.mkdir(parents=True)
        tables = {"user": self._table("user_id", users, origins), "item": self._table("item_id", items, None)}
        labels = pa.array([(names or {}).get(i, i.title()) for i in tables["item"]["item_id"].to_pylist()])
        tables["item"] = tables["item"].add_column(1, "name", labels)
        for what, table in tables.items():
            pq.write_table(
                table,
                staged / f"{what}s.parquet",
                row_group_size=group,
                compression="none",
                use_dictionary=False,
            )
        pairs = sorted(seen, key=lambda pair: tuple(part.encode() for part in pair))
        columns = {
            k: pa.array([p[n] for p in pairs], pa.string()) for n, k in enumerate(("user_id", "item_id"))
        }
        pq.write_table(pa.table(columns), staged / "seen.parquet", row_group_size=group)
        dim = tables["item"]["vector"].type.list_size
        said = {
            "domain": self.domain,
            "dim": dim,
            "metric": "inner_product",
            "users": len(users),
            "items": len(items),
        }
        if format > 1:
            said |= {"format": format, "normalisation": "none", "space": SPACE}
        make = INDEXES[index]
        if make is not None:
            ordered = np.array([items[i] for i in tables["item"]["item_id"].to_pylist()], np.float32)
            faiss.write_index(make(ordered), str(staged / "items.faiss"))
            said["index"] = {"kind": "ivf" if index == "quantised" else index, "parameters": {}}
        said |= facts
        (staged / "set.json").write_text(json.dumps({k: v for k, v in said.items() if v is not ...}))
        return self.commit(staged)

    def commit(self, staged, **more):
        """Makes a folder a set, whatever it holds."""
        files = [
            {"path": p.name, "sha256": hashlib.sha256(p.read_bytes()).hexdigest(), "bytes": p.stat().st_size}
            for p in sorted(staged.iterdir())
        ]
        manifest = {
            "format": 1,
            "kind": "publish/embeddings",
            "partition": self.domain,
            "files": files,
            "parents": {},
        }
        data = canonical(manifest | more)
        (staged / "manifest.json").write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        shutil.rmtree(self.folder(digest), ignore_errors=True)
        self.folder(digest).parent.mkdir(parents=True, exist_ok=True)
        staged.rename(self.folder(digest))
        return digest

    def change(self, digest, name, data, **more):
        """A set with one file's bytes replaced, and digests that fit. Returns its digest."""
        staged = self.root / "staged"
        shutil.copytree(self.folder(digest), staged)
        (staged / "manifest.json").unlink()
        (staged / name).write_bytes(data)
        return self.commit(staged, **more)

    def publish(self, digest, version=1, alias="live", **fields):
        """Points an alias at a set by a record of the next version."""
        about = {
            "action": "publish",
            "change": "first",
            "space": None,
            "who": "ann",
            "why": "",
            "created": "",
        }
        content = {
            "format": 1, "domain": self.domain, "alias": alias, "version": version, "digest": digest,
            "facts": {}, **about, **fields,
        }  # fmt: skip
        file = self.record(version, alias)
        file.parent.mkdir(parents=True, exist_ok=True)
        data = canonical({**content, "sha256": hashlib.sha256(canonical(content)).hexdigest()})
        staged = file.with_name(f".{file.name}.tmp")
        staged.write_bytes(data)
        staged.rename(file)

    def open(self, **asked):
        return open_set(self.root, self.domain, **asked)

    @staticmethod
    def _table(key, vectors, origins):
        ids = sorted(vectors, key=str.encode)
        rows = np.array([vectors[i] for i in ids], np.float32)
        dim = rows.shape[1]
        origin = [(origins or {}).get(i, "trained") for i in ids]
        return pa.table(
            {
                key: pa.array(ids, pa.string()),
                "vector": pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), dim),
                "origin": pa.array(origin, pa.string()).dictionary_encode(),
                "norm": pa.array(np.linalg.norm(rows, axis=1).astype(np.float32)),
            }
        )


@pytest.fixture
def written(tmp_path):
    return Written(tmp_path / "root")


@pytest.fixture
def cafe(written):
    """Three users, four items, one of which was seen; published as version 1."""
    rng = np.random.default_rng(0)
    users = dict(zip(["u01", "u1", "ü2"], rng.normal(size=(3, 5)).astype(np.float32), strict=True))
    items = dict(zip("abcd", rng.normal(size=(4, 5)).astype(np.float32), strict=True))
    names = {"a": "Apple", "b": "Bread", "c": "Coffee", "d": "Dates"}
    written.users, written.items = users, items
    written.digest = written.write(users, items, [("u1", "c")], names=names, origins={"ü2": "fallback"})
    written.publish(written.digest, space=SPACE)
    return written


@pytest.fixture
def record():
    def make(**fields):
        given = {
            "domain": "cafe", "alias": "live", "version": 7, "digest": "0" * 64, "action": "rollback",
            "change": "same", "space": SPACE, "who": "ann", "why": "a dip", "created": "2026-01-01T00:00:00Z",
            "facts": {"p50_ms": 1.5},
        }  # fmt: skip
        return VersionRecord(**{**given, **fields})

    return make
