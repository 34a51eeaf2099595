import dataclasses

import numpy as np

from hier_dag.evaluate.baselines.trained.fitting import fit, source_model
from hier_dag.evaluate.baselines.trained.recipes import RECIPES

EVERYONE = np.arange(22)


def test_targets_share_what_the_sources_taught_and_leave_it_alone(small_platform, few_shot):
    recipe = RECIPES["lightgcn"]
    shared = source_model(small_platform, recipe.build, recipe.sources, 0)
    before = shared.nodes.detach().clone()
    fit(few_shot(small_platform), recipe)
    assert source_model(small_platform, recipe.build, recipe.sources, 0) is shared
    assert (shared.nodes == before).all()


def test_seeds_differ(small_platform, few_shot):
    one, other = (fit(few_shot(small_platform, seed=s), RECIPES["lightgcn"])(EVERYONE) for s in (0, 1))
    assert np.abs(one - other).max() > 1e-3


def test_few_shot_pairs_are_learned(small_platform, few_shot):
    evidence = few_shot(small_platform)
    scores = fit(evidence, RECIPES["lightgcn"])(EVERYONE)
    rows, columns = evidence.user - 2, np.searchsorted(small_platform.catalogue["cafe"], evidence.item)
    visited = np.zeros_like(scores, dtype=bool)
    visited[rows, columns] = True
    some = visited.any(axis=1)
    assert (np.where(visited, scores, np.nan)[some]).mean(where=visited[some]) > scores[some].mean() + 0.1


def test_popularity_is_added_to_known_users_scores(small_platform, few_shot):
    known = np.arange(16)  # users 2-17 have source history
    evidence = few_shot(small_platform)
    plain = fit(evidence, RECIPES["lightgcn"])(known)
    added = fit(evidence, dataclasses.replace(RECIPES["lightgcn"], popularity=2.0))(known)
    count = np.array([(evidence.item == i).sum() for i in small_platform.catalogue["cafe"]])
    np.testing.assert_allclose(added - plain, np.tile(2 * np.log(count + 0.1), (16, 1)), atol=1e-4)
