from math import log, sqrt

import numpy as np
import pytest

from hier_dag.evaluate.interpret.characteristic import characteristic, log_odds


def naive(counts):
    """Cell by cell, as the equation reads."""
    groups, entities = len(counts), len(counts[0])
    total = sum(map(sum, counts))
    weight = total / groups
    out = [[0.0] * entities for _ in range(groups)]
    for e in range(entities):
        of_entity = sum(row[e] for row in counts)
        prior = weight * of_entity / total
        for g in range(groups):
            own, n = counts[g][e], sum(counts[g])
            inside, outside = own + prior, of_entity - own + prior
            if inside == 0:
                continue
            delta = log(inside / (n + weight - inside)) - log(outside / (total - n + weight - outside))
            out[g][e] = delta / sqrt(1 / inside + 1 / outside)
    return out


def test_scores_are_those_of_the_equation():
    counts = np.array([[8.0, 2, 0, 3.5], [1, 7, 0, 3], [2, 1, 0, 3]])
    assert log_odds(counts) == pytest.approx(np.array(naive(counts.tolist())))


def test_what_everyone_has_names_nobody():
    counts = np.array([[20.0, 9, 0], [20, 0, 9]])
    found = characteristic(counts, counts, 5)
    assert [[e for e, _ in group] for group in found] == [[1], [2]]
    assert all(score > 0 for group in found for _, score in group)


def test_a_single_item_names_nothing_however_typical():
    counts = np.array([[1.0, 5, 5], [0, 5, 5]])
    assert log_odds(counts)[0].argmax() == 0
    assert characteristic(counts, counts, 5)[0] == []
    assert [e for e, _ in characteristic(8 * counts, 8 * counts, 5)[0]] == [0]


def test_no_entity_at_all():
    assert characteristic(np.zeros((3, 0)), np.zeros((3, 0)), 5) == [[], [], []]
    assert characteristic(np.zeros((2, 4)), np.zeros((2, 4)), 5) == [[], []]
