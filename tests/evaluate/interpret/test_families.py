import numpy as np
import pytest

from hier_dag.evaluate.interpret.families import family_strength, intent_families
from hier_dag.model.spectral import unit_rows

# Exemplars 0 and 1 are of one kind, 2 and 3 of another, 4 lies opposite to the first.
EXEMPLARS = unit_rows(
    np.array([[1, 0.1, 0], [1, -0.1, 0], [0, 1, 0.1], [0, 1, -0.1], [-1, -0.2, 0.1]], np.float32)
)


def test_intents_are_one_family_where_their_paths_end_at_one_kind_though_they_share_none():
    paths = np.eye(5, dtype=np.float32)[[2, 0, 3, 1, 4]]
    assert intent_families(paths, EXEMPLARS).tolist() == [0, 1, 0, 1, 2]


def test_no_two_intents_of_a_family_point_away_from_each_other():
    rng = np.random.default_rng(0)
    exemplars = unit_rows(rng.normal(size=(30, 6)).astype(np.float32))
    paths = rng.dirichlet(np.full(30, 0.1), 40).astype(np.float32)
    family = intent_families(paths, exemplars)
    places = unit_rows(paths @ exemplars)
    cosine = places @ places.T
    assert cosine[family[:, None] == family[None, :]].min() >= -1e-6
    assert 1 < family.max() + 1 < 40
    # Nothing more could be joined: every two families hold a pair that points apart.
    for a in range(family.max() + 1):
        for b in range(a):
            assert cosine[np.ix_(family == a, family == b)].min() < 0


def test_a_number_of_families_can_be_asked_for():
    paths = np.eye(5, dtype=np.float32)
    assert len(set(intent_families(paths, EXEMPLARS, 2).tolist())) == 2


@pytest.mark.parametrize("n", [0, 1])
def test_hardly_any_intent(n):
    assert intent_families(np.ones((n, 5), np.float32) / 5, EXEMPLARS).tolist() == [0] * n


def test_a_family_is_as_strong_as_its_intents_together():
    intents = np.array([[0.2, 0.3, 0.5], [0, 0, 0]], np.float32)
    strength = family_strength(intents, np.array([1, 0, 1]))
    assert strength == pytest.approx(np.array([[0.3, 0.7], [0, 0]]))
