"""A flipped or missing byte anywhere in a set or its record is refused before anything is answered."""

import hashlib
import shutil

import numpy as np
import pytest

from hier_dag.errors import StoreError
from hier_dag.publish.reader import set_files

FILES = (
    "users.parquet",
    "items.parquet",
    "seen.parquet",
    "items.faiss",
    "set.json",
    "manifest.json",
    "record",
)
RNG = np.random.default_rng(0)


def answers(written):
    """All that a consumer may ask for; what comes out must have been checked."""
    opened = written.open()
    out = [opened.recommend("u1", 2)]
    out.append(opened.recommend_many(["u01"], 1, exact=True).to_pylist())
    return out


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["flipped", "truncated", "longer", "empty", "missing"])
def test_damage_is_refused_before_use(cafe, name, damage):
    assert len(answers(cafe)) == 2
    path = cafe.record(1) if name == "record" else cafe.folder(cafe.digest) / name
    whole = path.read_bytes()
    for at in RNG.integers(0, len(whole), 10 if damage in ("flipped", "truncated") else 1).tolist():
        data = bytearray(whole)
        data[at] ^= 1 << int(RNG.integers(8))
        changed = {
            "flipped": bytes(data), "truncated": whole[:at], "longer": whole + b"\0", "empty": b"",
            "missing": None,
        }[damage]  # fmt: skip
        path.unlink(missing_ok=True)
        if changed is not None:
            path.write_bytes(changed)
        if name == "record" and damage == "missing":
            path.with_name("000000000002.json").write_bytes(whole)
        with pytest.raises(StoreError) as caught:
            answers(cafe)
        assert caught.value.file
    path.with_name("000000000002.json").unlink(missing_ok=True)
    path.write_bytes(whole)
    assert len(answers(cafe)) == 2


def test_a_file_that_is_opened_later_is_checked_then(cafe):
    path = cafe.folder(cafe.digest) / "users.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    opened = cafe.open()
    with pytest.raises(StoreError, match=r"users\.parquet: the file does not match its digest"):
        opened.user_vector("u01")


def test_bytes_are_hashed_once_a_process(cafe, monkeypatch):
    hashed = []
    real = hashlib.sha256
    monkeypatch.setattr(set_files.hashlib, "sha256", lambda data=b"": hashed.append(len(data)) or real(data))
    answers(cafe)
    sizes = {p.name: p.stat().st_size for p in cafe.folder(cafe.digest).iterdir()}
    assert {name: hashed.count(size) for name, size in sizes.items()} == dict.fromkeys(sizes, 1)
    hashed.clear()
    answers(cafe)
    again = {name for name, size in sizes.items() if size in hashed}
    assert again == {"manifest.json"}, "it is read each time, to know the digests"


def test_a_set_that_is_gone_is_told_as_missing(cafe):
    shutil.rmtree(cafe.folder(cafe.digest))
    with pytest.raises(StoreError, match="is not in the store"):
        cafe.open()


@pytest.mark.parametrize("name", ["users.parquet", "seen.parquet"])
def test_a_held_set_outlives_the_files_it_has_opened(cafe, name):
    opened = cafe.open()
    before = opened.recommend("u1", 3)
    shutil.rmtree(cafe.folder(cafe.digest))
    assert opened.recommend("u1", 3) == before
