import numpy as np

from hier_dag.evaluate.baselines.degree import kg_degree
from hier_dag.evaluate.baselines.entity_mix import entity_mix, standardised
from hier_dag.evaluate.baselines.entity_popularity import entity_popularity, predicted_popularity
from hier_dag.evaluate.baselines.entity_profile import entity_profile


def entities_of(graph, item):
    return graph.has_entity.indices[graph.has_entity.indptr[item] : graph.has_entity.indptr[item + 1]]


def naive_popularity(graph, smoothing):
    relative = [[] for _ in range(graph.n_entities)]
    for source in graph.sources:
        count = np.bincount(graph.interacts[source].indices, minlength=graph.n_items)
        for item in np.flatnonzero(count):
            for entity in entities_of(graph, item):
                relative[entity].append(count[item] / count[count > 0].mean())
    mean = [(sum(r) + smoothing) / (len(r) + smoothing) for r in relative]
    return np.array(
        [
            np.exp(np.mean([np.log(mean[e]) for e in entities_of(graph, i)] or [0]))
            for i in range(graph.n_items)
        ]
    )


def test_prediction_is_the_geometric_mean_of_smoothed_entity_means(small_platform):
    expected = naive_popularity(small_platform, 2.0)
    np.testing.assert_allclose(predicted_popularity(small_platform, 2.0), expected)
    assert expected[21] == 1.0  # no entity: an average item


def test_few_shot_counts_are_smoothed_by_the_prediction(small_platform, few_shot):
    evidence = few_shot(small_platform)
    share = naive_popularity(small_platform, 2.0)[small_platform.catalogue["cafe"]]
    count = [(evidence.item == i).sum() for i in small_platform.catalogue["cafe"]]
    scores = entity_popularity(evidence, smoothing=2.0, prior_visits=7.0)(np.arange(2))
    np.testing.assert_allclose(scores, np.tile(np.log(count + 7 * share / share.sum()), (2, 1)), rtol=1e-5)


def test_degree_counts_items_two_hops_away(small_platform, zero_shot):
    carriers = np.bincount(small_platform.has_entity.indices)
    expected = [carriers[entities_of(small_platform, i)].sum() for i in small_platform.catalogue["cafe"]]
    scores = kg_degree(zero_shot(small_platform))(np.arange(3))
    np.testing.assert_array_equal(scores, np.tile(expected, (3, 1)))


def test_the_mix_weighs_standardised_scores(small_platform, zero_shot):
    evidence, rows = zero_shot(small_platform), np.arange(22)

    def z(scores):
        deviation = scores.std(axis=1, keepdims=True)
        return (scores - scores.mean(axis=1, keepdims=True)) / np.where(deviation > 1e-9, deviation, 1)

    profile, popularity = (f(evidence)(rows).astype(float) for f in (entity_profile, entity_popularity))
    np.testing.assert_allclose(
        entity_mix(evidence, 0.3)(rows), 0.3 * z(profile) + 0.7 * z(popularity), atol=1e-4
    )


def test_a_constant_row_is_standardised_to_zero():
    np.testing.assert_array_equal(standardised(np.full((2, 3), 7, np.float32)), np.zeros((2, 3)))
