"""Searching equals scoring every item, sorting, and leaving out what is excluded."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.publish.reader.top import Excluded, top
from tests.publish.reader.conftest import INDEXES, Written, ivf

SMALL = st.integers(-4, 4)


@st.composite
def cases(draw):
    n, m, d = draw(st.integers(1, 4)), draw(st.integers(1, 30)), draw(st.integers(1, 4))
    numbers = st.lists(SMALL, min_size=d, max_size=d)
    users = np.array(draw(st.lists(numbers, min_size=n, max_size=n)), np.float32)
    items = np.array(draw(st.lists(numbers, min_size=m, max_size=m)), np.float32)
    pairs = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, m - 1)), max_size=2 * m))
    return users, items, pairs, draw(st.integers(1, 35)), draw(st.integers(1, 9))


@settings(max_examples=60, deadline=None)
@given(cases(), st.sampled_from(["flat", "none"]))
def test_recommending_is_ranking_by_score(tmp_path_factory, case, index):
    users, items, pairs, k, group = case
    written = Written(tmp_path_factory.mktemp("case"))
    names = [f"u{i}" for i in range(len(users))], [f"i{i:02d}" for i in range(len(items))]
    seen = {(names[0][u], names[1][i]) for u, i in pairs}
    made = dict(zip(names[0], users, strict=True)), dict(zip(names[1], items, strict=True))
    written.publish(written.write(*made, seen, index=index, group=group))
    opened = written.open()
    for exact in (False, True):
        rows = opened.recommend_many(names[0], k, exact=exact).to_pylist()
        for number, user in enumerate(names[0]):
            scores = items @ users[number]
            left = [i for i, item in enumerate(names[1]) if (user, item) not in seen]
            best = [r for r in rows if r["user_id"] == user]
            assert [r["score"] for r in best] == sorted(scores[left].tolist(), reverse=True)[:k]
            assert [r["score"] for r in best] == [scores[int(r["item_id"][1:])] for r in best]
            assert len({r["item_id"] for r in best}) == len(best)
            assert not {(user, r["item_id"]) for r in best} & seen


def test_equal_scores_come_in_the_order_of_ids(written):
    written.publish(written.write({"u": [1]}, {i: [1] for i in "hgfedcba"}, index="none"))
    assert [r.item_id for r in written.open().recommend("u", 8)] == list("abcdefgh")


def test_the_best_of_many_scores():
    scores = np.array([[1, 3, -np.inf, 3], [-np.inf] * 4], np.float32)
    rows = np.array([[10, 12, 13, 11], [0, 1, 2, 3]])
    found, at = top(scores, rows, 2)
    assert (found.tolist(), at.tolist()) == ([[3, 3], [-np.inf, -np.inf]], [[11, 12], [-1, -1]])
    assert top(scores, rows, 9)[1].tolist() == [[11, 12, 10, -1], [-1] * 4]


@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 7))), st.sets(st.integers(0, 5), min_size=1))
def test_excluded_items_are_hidden_from_their_own_query_alone(pairs, some):
    query, row = (np.array([p[i] for p in sorted(pairs)] + [0], np.int64) for i in (0, 1))
    row[-1] = -1
    excluded = Excluded.of(query, row, 6, 8)
    assert excluded.counts.tolist() == [sum(q == n for q, _ in pairs) for n in range(6)]
    asked = np.array(sorted(some))
    rows = np.tile(np.arange(-1, 8), (len(asked), 1))
    hidden = np.isneginf(excluded.only(asked).hide(np.zeros(rows.shape, np.float32), rows))
    expected = [[r < 0 or (int(q), r) in pairs for r in range(-1, 8)] for q in asked]
    assert hidden.tolist() == expected
    for q in asked:
        assert excluded.rows_of(int(q)).tolist() == sorted(r for p, r in pairs if p == q)


@pytest.mark.parametrize("index", ["flat", "hnsw", "ivf"])
def test_the_index_is_searched_without_the_thousands_that_a_user_has_seen(written, index):
    rng = np.random.default_rng(6)
    items = {f"i{i:04d}": v for i, v in enumerate(rng.normal(size=(3000, 4)).astype(np.float32))}
    user = rng.normal(size=4).astype(np.float32)
    ranked = sorted(items, key=lambda i: -float(items[i] @ user))
    written.publish(written.write({"u": user}, items, [("u", i) for i in ranked[:1200]], index=index))
    best = [r.item_id for r in written.open().recommend("u", 10)]
    assert not set(best) & set(ranked[:1200])
    assert len(set(best)) == 10
    if index == "flat":
        assert best == ranked[1200:1210]


def test_the_effort_that_is_kept_in_the_index_is_made(written, monkeypatch):
    monkeypatch.setitem(INDEXES, "ivf", lambda vectors: ivf(vectors, probes=8, lists=8))
    rng = np.random.default_rng(7)
    items = {f"i{i:03d}": v for i, v in enumerate(rng.normal(size=(800, 6)).astype(np.float32))}
    users = {f"u{i:02d}": v for i, v in enumerate(rng.normal(size=(40, 6)))}
    written.publish(written.write(users, items, index="ivf"))
    opened = written.open()
    through, exact = (opened.recommend_many(list(users), 10, exact=e) for e in (False, True))
    assert through["item_id"].equals(exact["item_id"])


@pytest.mark.parametrize("index", ["hnsw", "ivf", "quantised"])
def test_an_index_that_finds_too_few_is_completed(written, index):
    """One list of eight is looked into, and all it holds was seen: the answer is whole nevertheless."""
    rng = np.random.default_rng(5)
    items = {f"i{i:03d}": v for i, v in enumerate(rng.normal(size=(400, 3)).astype(np.float32))}
    user = rng.normal(size=3).astype(np.float32)
    ranked = sorted(items, key=lambda i: -float(items[i] @ user))
    written.publish(written.write({"u": user}, items, [("u", i) for i in ranked[:395]], index=index))
    opened = written.open()
    assert [r.item_id for r in opened.recommend("u", 10)] == ranked[395:]
    assert opened.recommend_many(["u"], 5)["item_id"].to_pylist() == ranked[395:]
    assert [r.item_id for r in opened.recommend("u", 400, include_seen=True)] == ranked
