"""A published set answers from itself alone: vectors by id, the best items, words for what it lacks."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.errors import SpaceError, StoreError, UsageError
from hier_dag.publish.reader import row_groups

ROWS = 7  # of a row group, so that a small set has many


@pytest.fixture(params=["flat", "hnsw", "ivf", "quantised", "none"])
def shop(written, request):
    """200 users and 150 items with integer vectors, so that every inner product is exact."""
    rng = np.random.default_rng(1)
    draw = lambda n: rng.integers(-9, 10, (n, 8)).astype(np.float32)  # noqa: E731
    written.users = {f"u{i:03d}": v for i, v in enumerate(draw(200))}
    written.items = {f"i{i:03d}": v for i, v in enumerate(draw(150))}
    written.seen = {(f"u{i % 60:03d}", f"i{j:03d}") for i, j in rng.integers(0, 150, (700, 2))}
    written.seen |= {("u001", f"i{j:03d}") for j in range(147)}
    written.publish(
        written.write(written.users, written.items, written.seen, index=request.param, group=ROWS)
    )
    return written


def naive(shop, user, k, exclude=(), include_seen=False):
    """Scores of the k best, by scoring every item."""
    hidden = set(exclude) | (set() if include_seen else {i for u, i in shop.seen if u == user})
    scores = [float(v @ shop.users[user]) for i, v in shop.items.items() if i not in hidden]
    return sorted(scores, reverse=True)[:k]


def test_vectors_come_back_bit_for_bit_by_original_id(cafe):
    with cafe.open() as opened:
        for user, vector in cafe.users.items():
            assert np.array_equal(opened.user_vector(user), vector)
        for item, vector in cafe.items.items():
            assert np.array_equal(opened.item_vector(item), vector)
        assert (opened.version, opened.digest, opened.dim) == (1, cafe.digest, 5)
        assert opened.user_origin("ü2") == "fallback"
        assert opened.some_users(5) == ["u01", "u1", "ü2"]
        assert opened.some_users(5, "fallback") == ["ü2"]


def test_a_batch_comes_back_in_the_order_asked_for_with_repeats(shop):
    opened = shop.open()
    rng = np.random.default_rng(2)
    for vectors, asked in ((shop.users, opened.user_vectors), (shop.items, opened.item_vectors)):
        ids = rng.choice(list(vectors), 300).tolist()
        assert np.array_equal(asked(ids), np.array([vectors[i] for i in ids]))
        assert asked([]).shape == (0, 8)


def test_a_batch_reads_each_row_group_once(shop, monkeypatch):
    opened = shop.open()
    opened.some_users(1)
    read, whole = [], row_groups.RowGroups._read

    def told(self, groups, *args, **kwargs):
        read.append(list(groups))
        return whole(self, groups, *args, **kwargs)

    monkeypatch.setattr(row_groups.RowGroups, "_read", told)
    opened.user_vectors([f"u{i:03d}" for i in (199, 14, 15, 199, 16, 20)])
    assert sorted(read) == [[2], [28]]
    read.clear()
    opened.user_vector("u150")
    assert read == [[150 // ROWS]]


@pytest.mark.parametrize("user", ["u000", "u001", "u030", "u150"])
@pytest.mark.parametrize("k", [1, 3, 10, 140, 1000])
def test_the_best_items_are_those_of_the_inner_product(shop, user, k):
    opened = shop.open()
    for asked in ({}, {"include_seen": True}, {"exclude": ["i010", "i020", "never heard of"]}):
        best = opened.recommend(user, k, **asked)
        scores = [r.score for r in best]
        assert all(r.score == float(shop.items[r.item_id] @ shop.users[user]) for r in best)
        assert len({r.item_id for r in best}) == len(best)
        assert not {r.item_id for r in best} & set(asked.get("exclude", ()))
        hidden = set() if "include_seen" in asked else {i for u, i in shop.seen if u == user}
        assert not {r.item_id for r in best} & hidden
        true = naive(shop, user, k, **asked)
        assert len(scores) == len(true)
        if "items.faiss" not in opened.files or opened.facts["index"]["kind"] == "flat" or len(true) < k:
            assert scores == true


def test_many_users_get_what_each_would_get_alone(shop):
    opened = shop.open()
    users = ["u150", "u001", "u030", "u001", "u000"]
    for asked in ({}, {"include_seen": True}):
        table = opened.recommend_many(users, 5, exact=True, **asked)
        assert table.schema.names == ["user_id", "rank", "item_id", "score"]
        expected = [naive(shop, user, 5, **asked) for user in users]
        assert table["score"].to_pylist() == [s for scores in expected for s in scores]
        assert table["user_id"].to_pylist() == [u for u, s in zip(users, expected, strict=True) for _ in s]
        assert table["rank"].to_pylist() == [r for scores in expected for r in range(1, len(scores) + 1)]
        for row in table.to_pylist():
            assert row["score"] == float(shop.items[row["item_id"]] @ shop.users[row["user_id"]])
            assert asked or (row["user_id"], row["item_id"]) not in shop.seen
        through_index = opened.recommend_many(users, 5, **asked)
        alone = [(u, r.item_id, r.score) for u in users for r in opened.recommend(u, 5, **asked)]
        columns = (through_index[c].to_pylist() for c in ("user_id", "item_id", "score"))
        assert list(zip(*columns, strict=True)) == alone
    assert opened.recommend_many([], 5).num_rows == 0


def test_what_was_seen_is_not_recommended_unless_asked_for(cafe):
    opened = cafe.open()
    assert {r.item_id for r in opened.recommend("u1", 10)} == {"a", "b", "d"}
    assert {r.item_id for r in opened.recommend("u1", 10, include_seen=True)} == {"a", "b", "c", "d"}
    assert {r.name for r in opened.recommend("u1", 10, exclude=["a"])} == {"Bread", "Dates"}


def test_when_everything_is_excluded_nothing_comes_back(shop):
    opened = shop.open()
    assert opened.recommend("u000", 3, exclude=list(shop.items)) == []
    left = opened.recommend("u000", 3, exclude=list(shop.items)[1:], include_seen=True)
    assert [r.item_id for r in left] == ["i000"]


def test_a_user_who_has_seen_thousands_still_gets_ten(written):
    rng = np.random.default_rng(3)
    items = {f"i{i:05d}": v for i, v in enumerate(rng.normal(size=(3000, 4)).astype(np.float32))}
    seen = [("u", i) for i in list(items)[:2900]]
    written.publish(written.write({"u": rng.normal(size=4)}, items, seen, index="ivf"))
    opened = written.open()
    true = sorted(list(items)[2900:], key=lambda i: -float(items[i] @ opened.user_vector("u")))
    assert [r.item_id for r in opened.recommend("u", 10)] == true[:10]
    assert opened.recommend_many(["u"], 10)["item_id"].to_pylist() == true[:10]


def test_an_unknown_user_is_told_what_ids_look_like(cafe):
    with pytest.raises(UsageError, match=r"'U01' is not in the published set.*leading zeros.*u01"):
        cafe.open().recommend("U01")
    for odd in ("", "zzz", "\ud800", "u01\0"):
        with pytest.raises(UsageError):
            cafe.open().user_vector(odd)


def test_unknown_ids_of_a_batch_are_counted_or_become_nan(cafe):
    opened = cafe.open()
    with pytest.raises(UsageError, match=r"users '1', '2', '3' and 1 more are not in the published set"):
        opened.user_vectors(["1", "u01", "2", "3", "4"])
    with pytest.raises(UsageError, match="item 'z' is not in the published set"):
        opened.item_vectors(["a", "z"])
    with pytest.raises(UsageError, match="'nobody'"):
        opened.recommend_many(["u01", "nobody"], 2)
    vectors = opened.user_vectors(["1", "u01", "zz"], missing="nan")
    assert np.isnan(vectors[[0, 2]]).all()
    assert np.array_equal(vectors[1], cafe.users["u01"])
    assert np.isnan(opened.item_vectors(["zz"], missing="nan")).all()


def test_an_id_too_long_for_the_statistics_of_a_footer_is_found(written):
    users = {f"{'é' * 3000}{i:02d}": np.full(2, i, np.float32) for i in range(20)}
    written.publish(written.write(users, {"a": np.ones(2)}, [(list(users)[7], "a")], group=3))
    opened = written.open()
    for user, vector in users.items():
        assert np.array_equal(opened.user_vector(user), vector)
    assert opened.recommend(list(users)[7]) == []
    assert len(opened.recommend(list(users)[8])) == 1


def test_all_users_and_items_come_in_batches(shop):
    opened = shop.open()
    users = pa.Table.from_batches(opened.users())
    assert users["user_id"].to_pylist() == list(shop.users)
    assert users.schema.names == ["user_id", "vector", "origin", "norm"]
    items = pa.Table.from_batches(opened.items(["item_id", "name"]))
    assert items.schema.names == ["item_id", "name"]
    assert items["item_id"].to_pylist() == list(shop.items)
    with pytest.raises(StoreError, match="column is missing"):
        list(opened.items(["price"]))


def test_a_vector_from_elsewhere_must_be_of_the_same_space(cafe):
    opened = cafe.open()
    mine = cafe.users["u01"]
    assert opened.recommend_vector(mine, 2, space=opened.space) == opened.recommend("u01", 2)
    with pytest.raises(SpaceError, match=r"space 0123456789abcdef .*asked for was space ffff"):
        opened.recommend_vector(mine, space="f" * 16)
    with pytest.raises(SpaceError, match="vectors of length 5"):
        opened.recommend_vector(mine[:4])
    with pytest.raises(UsageError, match="not finite"):
        opened.recommend_vector(mine * np.nan)


def test_fewer_than_one_item_cannot_be_asked_for(cafe):
    with pytest.raises(UsageError, match="at least one"):
        cafe.open().recommend("u01", 0)
    with pytest.raises(UsageError, match="at least one"):
        cafe.open().recommend_many(["u01"], 0)


def test_a_closed_set_says_so(cafe):
    opened = cafe.open()
    opened.close()
    with pytest.raises(UsageError, match="was closed"):
        opened.recommend("u01")


def test_smaller_vectors_are_handed_out_as_checked_files(cafe):
    digest = cafe.change(cafe.digest, "items.float16.parquet", b"whatever")
    cafe.publish(digest, 2)
    opened = cafe.open()
    assert opened.file("items.float16.parquet").read_bytes() == b"whatever"
    (cafe.folder(digest) / "items.float16.parquet").write_bytes(b"whatever!")
    with pytest.raises(StoreError, match="does not match its digest"):
        opened.file("items.float16.parquet")
    with pytest.raises(StoreError, match="has no file"):
        opened.file("users.float16.parquet")


def test_a_set_without_items_or_users_answers_with_nothing(written):
    none = {"x": np.ones(3)}
    digest = written.write({"x": np.ones(3)}, none, index="none")
    for name in ("items", "users"):
        table = pq.read_table(written.folder(digest) / f"{name}.parquet").slice(0, 0)
        sink = io.BytesIO()
        pq.write_table(table, sink)
        digest = written.change(digest, f"{name}.parquet", sink.getvalue())
    facts = json.loads((written.folder(digest) / "set.json").read_text()) | {"users": 0, "items": 0}
    written.publish(written.change(digest, "set.json", json.dumps(facts).encode()))
    opened = written.open()
    with pytest.raises(UsageError, match="not in the published set"):
        opened.user_vector("x")
    assert opened.recommend_vector(np.ones(3)) == []
    assert opened.some_users(3) == []
