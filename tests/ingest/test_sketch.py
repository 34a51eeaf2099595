"""Shares of new ids are known from two sketches: exactly for small sets, within the error for large ones."""

from __future__ import annotations

import hashlib
from math import sqrt

import numpy as np
import pytest

from hier_dag.ingest.sketch import SIZE, Sketch


def hashes(ids):
    return np.sort(
        np.fromiter(
            (int.from_bytes(hashlib.md5(str(i).encode()).digest()[8:], "little") for i in ids), np.uint64
        )
    )


def sketch(ids):
    return Sketch(len(ids), hashes(ids)[:SIZE])


def test_small_sets_are_compared_exactly():
    a, b = sketch(range(300)), sketch(range(200, 1000))
    assert a.share_in(b) == pytest.approx(100 / 300)
    assert b.share_in(a) == pytest.approx(100 / 800)
    assert a.share_in(a) == 1
    assert sketch(range(5)).share_in(sketch([])) == 0
    assert sketch([]).share_in(a) is None


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (range(40_000), range(30_000, 90_000)),
        (range(40_000), range(40_000, 60_000)),
        (range(100_000), range(2_000)),
        (range(50_000, 52_000), range(100_000)),
        (range(99_000, 101_000), range(100_000)),
    ],
    ids=["a quarter", "disjoint", "all of a small one", "inside a large one", "half inside a large one"],
)
def test_large_sets_are_compared_within_the_error(ours, theirs):
    a, b = sketch(ours), sketch(theirs)
    exact = len(set(ours) & set(theirs)) / len(ours)
    reached = SIZE * min(1.0, len(ours) / max(len(ours), len(theirs)))
    error = sqrt(max(exact * (1 - exact), 1 / reached) / reached)
    assert a.share_in(b) == pytest.approx(exact, abs=4 * error)


def test_a_sketch_is_read_back_as_it_was():
    whole = sketch(range(10_000))
    back = Sketch.from_json(whole.as_json())
    assert back.ids == 10_000
    assert not back.whole
    assert np.array_equal(back.hashes, whole.hashes)
    with pytest.raises(ValueError, match=r"base64|padding|data"):
        Sketch.from_json({"ids": 3, "hashes": "no base64"})
