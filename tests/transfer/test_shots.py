import numpy as np
import pytest

from hier_dag.graph.knowledge_graph import TRAIN
from hier_dag.transfer.shots import draw_shots


@pytest.mark.parametrize("name", ["1", "2", "30%", "all"])
def test_few_shot_subsets_are_training_pairs_chosen_as_declared(platform, name):
    graph, _ = platform
    pairs = graph.interactions["cafe"]
    shots = draw_shots(graph, "cafe", name)
    n_share = round(0.3 * len(pairs.split))
    share_cut = np.sort(pairs.share_rank[pairs.split == TRAIN])[:n_share].max()
    want = set()
    for user, item, split, rank, share in zip(
        pairs.user, pairs.item, pairs.split, pairs.shot_rank, pairs.share_rank, strict=True
    ):
        chosen = {"1": rank <= 1, "2": rank <= 2, "30%": share <= share_cut, "all": True}[name]
        if split == TRAIN and chosen:
            want.add((user, item))
    users, items = graph.audience["cafe"][shots.user], graph.catalogue["cafe"][shots.item]
    assert set(zip(users, items, strict=True)) == want
    assert shots.counts().sum() == len(want)
    assert shots.per_item() == len(want) / 20


def test_a_share_is_of_the_whole_domain_not_of_what_its_split_left_for_training(platform):
    graph, _ = platform
    n, train = len(graph.interactions["cafe"].split), (graph.interactions["cafe"].split == TRAIN).sum()
    assert len(draw_shots(graph, "cafe", "10%").user) == round(0.1 * n)
    assert len(draw_shots(graph, "cafe", "100%").user) == train < n


def test_a_target_without_interactions_gives_no_shots(platform):
    assert len(draw_shots(platform[0], "desert", "all").user) == 0
    assert draw_shots(platform[0], "desert", "1").counts().tolist() == [0] * 20


def test_one_shot_is_at_most_one_pair_a_user(platform):
    shots = draw_shots(platform[0], "cafe", "1")
    assert np.bincount(shots.user).max() == 1
