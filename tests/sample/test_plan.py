"""What is planted: paths, users, friends, and events that can be explained by them."""

from __future__ import annotations

import numpy as np
import pytest

from hier_dag.sample.decisions import build_decisions
from hier_dag.sample.params import SampleParams
from hier_dag.sample.plan import build_plan
from hier_dag.sample.services import SERVICES
from hier_dag.sample.users import build_friends

SMALL = SampleParams(users=3000, events=20_000, items=900)


@pytest.fixture(scope="module")
def plan():
    return build_plan(SMALL)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_intent_opens_three_to_five_exemplars_and_every_exemplar_is_open(seed):
    decisions = build_decisions(SampleParams(seed=seed))
    opened = (decisions.path > 0).sum(axis=1)
    assert opened.min() >= 3
    assert opened.max() <= 5
    assert (decisions.path > 0).any(axis=0).all()
    assert ((decisions.path > 0).sum(axis=0) > 1).any()
    assert np.allclose(decisions.path.sum(axis=1), 1)


def test_every_user_is_a_mixture_of_one_to_three_distinct_intents(plan):
    intents, shares = plan.users.intents, plan.users.shares
    assert set((intents >= 0).sum(axis=1)) == {1, 2, 3}
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert (shares[intents < 0] == 0).all()
    assert (np.diff(shares, axis=1) <= 0).all()
    for user in range(200):
        own = intents[user][intents[user] >= 0]
        assert len(set(own)) == len(own)


def test_friends_share_their_leading_intent_more_often_than_strangers(plan):
    user, other = build_friends(SMALL, plan.users)
    assert (user < other).all()
    assert len(set(zip(user.tolist(), other.tolist(), strict=True))) == len(user)
    leading = plan.users.intents[:, 0]
    assert (leading[user] == leading[other]).mean() > 0.5


def test_names_are_distinct_per_entity_and_triples_name_known_ones(plan):
    entities = plan.entities
    assert len(set(zip(entities.names, entities.types, strict=True))) == len(entities.ids)
    assert 500 <= len(entities.ids) <= 700
    assert {end for head, _, tail in entities.triples for end in (head, tail)} <= set(entities.ids)
    assert {r for _, r, _ in entities.triples} == {"subcategory_of", "same_brand_family", "lies_in"}


def test_without_noise_every_event_follows_an_open_path_of_its_user():
    params = SampleParams(users=500, events=4000, noise=0.0)
    plan = build_plan(params)
    service = SERVICES[0]
    items = plan.catalogues[service.name]
    events = plan.source(service).block(0)
    of_item = np.zeros((len(items.ids), plan.decisions.path.shape[1]), dtype=bool)
    of_item[items.exemplar_item, items.exemplar] = True
    intents = plan.users.intents[events.user]
    reachable = (plan.decisions.path[intents] > 0) & (intents >= 0)[:, :, None]
    assert (reachable.any(axis=1) & of_item[events.item]).any(axis=1).all()


def test_a_block_can_be_drawn_without_the_blocks_before_it():
    plan = build_plan(SampleParams(users=1000, events=450_000))
    source = plan.source(SERVICES[0])
    first, second, third = source.blocks()
    alone = plan.source(SERVICES[0]).block(1)
    assert np.array_equal(alone.item, second.item)
    assert np.array_equal(alone.milli, second.milli)
    assert (
        first.milli[-1] // 1000 < second.milli[0] // 1000 <= second.milli[-1] // 1000 < third.milli[0] // 1000
    )


@pytest.mark.parametrize("wrong", [{"users": 1}, {"noise": 1.0}, {"dirty": -0.1}, {"seed": -1}])
def test_impossible_sizes_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SampleParams(**wrong)
