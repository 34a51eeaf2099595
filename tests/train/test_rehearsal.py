"""Each source plays the target: what it finds is where transfer starts from."""

import dataclasses

import numpy as np
import pytest

from hier_dag.graph.csr import from_coo
from hier_dag.graph.knowledge_graph import TRAIN, Interactions, KnowledgeGraph
from hier_dag.model.encoding import KG_INFERRED, TRAINED, Encoding
from hier_dag.model.entity_profiles import entity_profiles
from hier_dag.model.interactions import encode_interactions
from hier_dag.model.source_view import source_view
from hier_dag.train import rehearsal
from hier_dag.train.params import PretrainParams
from hier_dag.train.rehearsal import DENSITIES, SCALES, players, rehearsal_table, rehearse
from hier_dag.transfer.dual_head import crowd_prior, dual_groups
from hier_dag.transfer.head_params import HeadParams
from hier_dag.transfer.params import TransferParams
from hier_dag.transfer.shots import Shots, draw_shots
from hier_dag.transfer.target import make_target

N_USERS, PER_DOMAIN = 400, 60
PARAMS = PretrainParams(interaction_dim=4, intents=2, exemplars=4, profile_dim=2, rehearsal_pairs=1000)


def platform(shared=True, target_seed=9, sources=("a", "b")):
    """Two crowds of users; in each domain either crowd keeps to its half of the items, some popular with all.

    Args:
        shared: whether a user's crowd is the same in every domain; otherwise each domain deals anew.
        target_seed: of the target's interactions.
        sources: source domains, of a, b.
    """
    rng = np.random.default_rng(0)
    crowd = rng.integers(0, 2, N_USERS)
    areas = {d: np.arange(PER_DOMAIN) + PER_DOMAIN * n for n, d in enumerate(("a", "b", "t"))}
    n_items = 3 * PER_DOMAIN
    logs = {}
    for number, (domain, items) in enumerate(areas.items()):
        draw = np.random.default_rng(target_seed if domain == "t" else number)
        mine = crowd if shared else draw.integers(0, 2, N_USERS)
        popular = np.linspace(3.0, 0.0, PER_DOMAIN)
        likes = (
            popular
            + np.where((items % 2)[None, :] == mine[:, None], 3.0, 0.0)
            + draw.gumbel(size=(N_USERS, PER_DOMAIN))
        )
        pair = np.sort((np.arange(N_USERS)[:, None] * n_items + items[np.argsort(-likes)[:, :4]]).ravel())
        n = len(pair)
        logs[domain] = Interactions(
            pair // n_items, pair % n_items, np.full(n, TRAIN, np.int8), np.ones(n, np.int32),
            draw.random(n), np.ones(n, np.float32),
        )  # fmt: skip
    links = from_coo(np.arange(n_items), np.arange(n_items) // 2 % 3, n_items, 3)
    nothing, names = np.zeros(0, np.int64), lambda n: np.arange(n).astype(str).astype(object)
    graph = KnowledgeGraph(
        sources=sources, targets=("t",), user_ids=names(N_USERS), item_ids=names(n_items),
        entity_ids=names(3), entity_names=names(3),
        interacts={d: from_coo(*x.part(TRAIN), N_USERS, n_items) for d, x in logs.items()},
        has_entity=links, entity_entity=from_coo(nothing, nothing, 3, 3),
        social=from_coo(nothing, nothing, N_USERS, N_USERS), catalogue=areas,
        audience={d: np.arange(N_USERS) for d in areas}, interactions=logs,
    )  # fmt: skip
    view = source_view(graph)
    encoding = Encoding(
        users=np.zeros((N_USERS, 2), np.float32), items=np.zeros((n_items, 2), np.float32),
        item_bias=np.zeros(n_items, np.float32), user_origin=np.full(N_USERS, TRAINED, np.int8),
        item_origin=np.full(n_items, KG_INFERRED, np.int8),
        interactions=encode_interactions(view.history, 4, 2, 4, 0),
        profiles=entity_profiles(view.entity_links(), view.history, 2, 0),
    )  # fmt: skip
    return graph, view, encoding


def test_sources_that_share_their_crowds_tell_transfer_to_trust_them():
    told = rehearse(*platform(shared=True), PARAMS)
    assert told.prior(0.8) >= 0.25
    assert told.curve(0.8)[0] < 0.8  # what is lost without the crowd


def test_sources_with_crowds_of_their_own_tell_transfer_to_leave_them():
    told = rehearse(*platform(shared=False), PARAMS)
    assert told.prior(0.8) <= 0.125


def test_the_figures_are_those_of_ranking_every_held_out_pair_by_hand(monkeypatch):
    monkeypatch.setattr(rehearsal, "DENSITIES", (4.0,))
    graph, view, encoding = platform()
    told = rehearse(graph, view, encoding, dataclasses.replace(PARAMS, rehearsal_pairs=10**6))
    others = dataclasses.replace(
        encoding,
        interactions=encode_interactions(graph.interacts["b"], 4, 2, 4, 0),
        profiles=entity_profiles(view.entity_links(), graph.interacts["b"], 2, 0),
    )
    target, every = make_target(graph, others, "a"), draw_shots(graph, "a", "all")
    order = np.argsort(graph.interactions["a"].share_rank, kind="stable")
    dealt, held = order[: 4 * PER_DOMAIN], order[4 * PER_DOMAIN :]
    groups = dual_groups(
        target, target.sides, Shots("few", every.user[dealt], every.item[dealt], PER_DOMAIN), TransferParams()
    )
    own = {u: set(every.item[every.user == u]) for u in range(N_USERS)}
    for place, scale in enumerate(SCALES):
        gains = []
        for e in held:
            u, i = every.user[e], every.item[e]
            score = sum(
                w * (scale if name == "crowd" else 1.0) * (t.users[u] @ t.items.T)
                for name in ("base", "crowd")
                for t, w in zip(groups[name].terms, groups[name].weights, strict=True)
            )
            rivals = score[[j for j in range(PER_DOMAIN) if j == i or j not in own[u]]]
            level = np.abs(rivals - score[i]) < 1e-5
            rank = (rivals > score[i])[~level].sum() + 0.5 * (level.sum() - 1)
            gains.append(1 / np.log2(2 + rank) if rank < 10 else 0.0)
        assert told.gains[0, 0, place] == pytest.approx(np.mean(gains), abs=0.002)


def test_the_table_names_who_played_and_marks_one_prior_a_density():
    graph, view, encoding = platform()
    told = rehearse(graph, view, encoding, PARAMS)
    rows = rehearsal_table(told, players(graph)).to_pylist()
    assert {row["source"] for row in rows} == {"a", "b"}
    assert len(rows) == np.isfinite(told.gains).sum()
    for density in {row["pairs_per_item"] for row in rows}:
        marked = {r["scale"] for r in rows if r["pairs_per_item"] == density and r["prior"]}
        assert marked == {np.float32(told.prior(density))}


def test_no_interaction_of_a_target_is_read():
    one, other = (rehearse(*platform(target_seed=seed), PARAMS) for seed in (9, 10))
    np.testing.assert_array_equal(one.gains, other.gains)


def test_densities_that_would_leave_too_little_to_judge_are_unknown():
    gains = rehearse(*platform(), PARAMS).gains
    known = np.isfinite(gains).all(axis=(0, 2))
    pairs_per_item = 4 * N_USERS / PER_DOMAIN
    few_enough = [d * PER_DOMAIN >= 8 and 2 * d <= pairs_per_item for d in DENSITIES]
    assert known.tolist() == few_enough


@pytest.mark.parametrize("case", ["one source", "no interaction encoding", "switched off"])
def test_without_anyone_to_play_there_is_no_rehearsal(case):
    graph, view, encoding = platform(sources=("a",) if case == "one source" else ("a", "b"))
    if case == "no interaction encoding":
        encoding = dataclasses.replace(encoding, interactions=None)
    off = dataclasses.replace(PARAMS, rehearsal_pairs=0) if case == "switched off" else PARAMS
    assert rehearse(graph, view, encoding, off) is None


def test_transfer_starts_from_the_rehearsal_unless_a_prior_is_declared():
    graph, view, encoding = platform()
    told = rehearse(graph, view, encoding, PARAMS)
    shots = draw_shots(graph, "t", "1%")
    for trust, declared, want in (
        (told, None, told.prior(shots.per_item())),
        (told, 0.9, 0.9),
        (None, None, 0.35),
    ):
        sides = make_target(graph, dataclasses.replace(encoding, trust=trust), "t").sides
        assert crowd_prior(sides, shots, HeadParams(crowd_prior=declared)) == pytest.approx(want)
