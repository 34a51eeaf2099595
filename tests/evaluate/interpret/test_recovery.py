import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.errors import SourceError
from hier_dag.evaluate.interpret.families import family_strength, intent_families
from hier_dag.evaluate.interpret.recovery import matches, recovery, strongest
from hier_dag.evaluate.interpret.truth import Truth, read_truth


@pytest.fixture
def truth(world):
    """What the world really is: users and items of three kinds."""
    users = np.zeros((240, 3), np.float32)
    users[np.arange(240), np.arange(240) % 3] = 1
    return Truth(("noodles", "italian", "mexican"), ("n", "i", "m"), users, np.arange(60) % 3)


def of(found, what, evidence=1):
    return next(a for a in found if (a.what, a.evidence) == (what, evidence))


def test_a_world_of_three_crowds_is_found(world, truth):
    encoding = world.encoding
    family = intent_families(encoding.paths, encoding.exemplars)
    pairs, visits = world.history.degrees(), np.bincount(world.history.indices, minlength=60)
    found = recovery(encoding, family, truth, pairs, visits)
    assert of(found, "families_as_planted").nmi > 0.95
    assert of(found, "families_as_planted").ari > 0.95
    assert of(found, "families").things == 240
    assert of(found, "exemplars").planted == 3
    assert {a.evidence for a in found} == {1, 5, 10} | ({20} if visits.max() >= 20 else set())
    assert of(found, "intents", 10).things == (pairs >= 10).sum()


def test_shuffled_users_are_not(world, truth):
    shuffled = Truth(
        truth.intents, truth.exemplars, np.random.default_rng(0).permutation(truth.users), truth.items
    )
    family = intent_families(world.encoding.paths, world.encoding.exemplars)
    found = recovery(world.encoding, family, shuffled, world.history.degrees(), np.ones(60, np.int64))
    assert of(found, "families").nmi < 0.1
    assert abs(of(found, "families").ari) < 0.05


def test_families_are_called_what_most_of_their_users_have(world, truth):
    family = intent_families(world.encoding.paths, world.encoding.exemplars, 3)
    strength = family_strength(world.encoding.intents, family)
    found = matches(strength, truth)
    assert sorted(m.planted for m in found) == ["italian", "mexican", "noodles"]
    label = strongest(strength)
    for m in found:
        own = truth.users[label == m.family].argmax(axis=1)
        assert m.users == len(own)
        assert m.share == pytest.approx((own == truth.intents.index(m.planted)).mean())
        assert m.share > 0.9


def test_a_family_too_many_stands_for_nothing():
    strength = np.eye(3, dtype=np.float32)[[0, 0, 0, 1, 1, 2]]
    users = np.eye(2, dtype=np.float32)[[0, 0, 0, 1, 1, 1]]
    found = matches(strength, Truth(("a", "b"), (), users, np.zeros(0, np.int64)))
    assert [(m.planted, m.users) for m in found] == [("a", 3), ("b", 2), ("", 1)]


def test_the_truth_is_read_in_the_numbers_of_the_graph(platform):
    graph_users = np.array(["u0000003", "u0000001", "nobody"], dtype=object)
    rows = pq.read_table(platform.data / "truth/item_exemplars.parquet").to_pylist()
    per_item = {}
    for row in rows:
        per_item.setdefault(row["item_id"], []).append(row["exemplar"])
    one = next(i for i, kinds in per_item.items() if len(kinds) == 1)
    two = next(i for i, kinds in per_item.items() if len(kinds) == 2)
    truth = read_truth(platform.data, graph_users, np.array([two, one, "x"], dtype=object))
    assert truth.items.tolist() == [-1, per_item[one][0], -1]
    assert truth.users.sum(axis=1) == pytest.approx([1, 1, 0])
    planted = pq.read_table(platform.data / "truth/user_intents.parquet").to_pylist()
    for row in planted:
        if row["user_id"] == "u0000001":
            assert truth.users[1, row["intent"]] == pytest.approx(row["share"])
    assert "sweet tooth" in truth.intents
    assert len(truth.exemplars) == 48


def test_without_truth_there_is_none_and_a_torn_one_is_named(tmp_path):
    nobody = np.zeros(0, object)
    assert read_truth(tmp_path, nobody, nobody) is None
    (tmp_path / "truth").mkdir()
    with pytest.raises(SourceError, match="planted truth") as raised:
        read_truth(tmp_path, nobody, nobody)
    assert raised.value.file.endswith("intents.parquet")
    pq.write_table(pa.table({"intent": [0]}), tmp_path / "truth/intents.parquet")
    with pytest.raises(SourceError, match="name"):
        read_truth(tmp_path, nobody, nobody)
