"""A published set answers from itself alone, and refuses what is not whole."""

import numpy as np
import pytest

from hier_dag.errors import StoreError, UsageError
from hier_dag.graph.knowledge_graph import Interactions
from hier_dag.publish.files import ITEMS, write_set
from hier_dag.publish.live import Live, move_live, read_live
from hier_dag.publish.reader import PublishedSet
from hier_dag.store import ArtifactStore, Manifest
from hier_dag.transfer.vectors import DomainVectors

USERS = np.array(["u01", "u1", "ü2"], dtype=object)
ITEM_IDS = np.array(["a", "b", "c", "d", "elsewhere"], dtype=object)
NAMES = np.array(["Apple", "Bread", "Coffee", "Dates", "–"], dtype=object)


@pytest.fixture
def published(tmp_path):
    rng = np.random.default_rng(0)
    vectors = DomainVectors(
        users=np.arange(3),
        user_vectors=rng.normal(size=(3, 5)).astype(np.float32),
        user_origin=np.array([0, 0, 2], dtype=np.int8),
        items=np.arange(4),
        item_vectors=rng.normal(size=(4, 5)).astype(np.float32),
        item_origin=np.array([0, 1, 1, 2], dtype=np.int8),
        method="closed_form",
    )
    seen = Interactions(
        user=np.array([1]), item=np.array([2]), split=np.array([2], np.int8),
        shot_rank=np.array([0], np.int32), share_rank=np.array([0.5]), weight=np.array([1], np.float32),
    )  # fmt: skip
    store = ArtifactStore(tmp_path / "store")
    with store.stage("publish/embeddings") as staged:
        facts = write_set(staged, vectors, USERS, ITEM_IDS, NAMES, seen, {"domain": "cafe"})
        manifest = Manifest(
            kind="publish/embeddings", partition="cafe", request_key="0" * 64, code_version="1", params={},
            summary=facts,
        )  # fmt: skip
        artifact = store.commit(staged, manifest)
    move_live(tmp_path / "live", Live("cafe", 1, artifact.digest))
    return tmp_path, artifact, vectors


def open_set(root):
    return PublishedSet.open(root / "store", root / "live", "cafe")


def test_vectors_come_back_bit_for_bit_by_original_id(published):
    root, _, vectors = published
    opened = open_set(root)
    for row, user in enumerate(USERS):
        assert np.array_equal(opened.user_vector(user), vectors.user_vectors[row])
    assert opened.user_origin("ü2") == "fallback"
    assert opened.some_users(5) == ["u01", "u1", "ü2"]
    assert opened.some_users(5, "fallback") == ["ü2"]


def test_the_best_items_are_those_of_the_inner_product(published):
    root, _, vectors = published
    scores = vectors.item_vectors @ vectors.user_vectors[0]
    best = open_set(root).recommend("u01", 3)
    assert [r.item_id for r in best] == ITEM_IDS[np.argsort(-scores)[:3]].tolist()
    assert [r.score for r in best] == pytest.approx(np.sort(scores)[::-1][:3].tolist())
    assert best[0].name == NAMES[np.argmax(scores)]


def test_what_was_seen_is_not_recommended_unless_asked_for(published):
    root, _, _ = published
    opened = open_set(root)
    assert {r.item_id for r in opened.recommend("u1", 10)} == {"a", "b", "d"}
    assert {r.item_id for r in opened.recommend("u1", 10, include_seen=True)} == {"a", "b", "c", "d"}


def test_an_unknown_user_is_told_what_ids_look_like(published):
    with pytest.raises(UsageError, match=r"'U01' is not in the published set.*leading zeros.*u01"):
        open_set(published[0]).recommend("U01")


def test_an_unknown_domain_is_told_what_is_published(published):
    with pytest.raises(UsageError, match=r"nothing is published for 'bar'; published: cafe"):
        read_live(published[0] / "live", "bar")


def test_a_damaged_set_is_refused(published):
    root, artifact, _ = published
    path = artifact.file(ITEMS)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match="does not match its digest"):
        open_set(root)


def test_a_late_publisher_never_moves_the_alias_back(published):
    root, artifact, _ = published
    move_live(root / "live", Live("cafe", 5, artifact.digest))
    move_live(root / "live", Live("cafe", 4, "0" * 64))
    assert read_live(root / "live", "cafe").version == 5


@pytest.mark.parametrize("content", ["", "{}", "null", '{"domain": "bar", "version": 1, "digest": "x"}'])
def test_a_damaged_alias_is_refused(published, content):
    root = published[0]
    (root / "live" / "cafe.json").write_text(content)
    with pytest.raises(StoreError):
        open_set(root)
