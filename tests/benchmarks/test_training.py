"""The benchmark of the training engine gives every figure; our sampler draws by the seed alone."""

import json

import pytest

from benchmarks.gpu import generated
from benchmarks.samplers import OURS, Draws, digest, samplers
from benchmarks.training import FANOUTS, Sizes, measure, show

DRAWS = Draws(nodes=300, edges=6000, wanted=40, fanout=3, rounds=1, seeds=3)


@pytest.fixture(scope="module")
def found():
    return measure(Sizes(interactions=3000, large=(80, 60), steps=1, rounds=1), DRAWS)


def test_every_figure_is_there_for_machines_and_for_people(found, capsys):
    found = json.loads(json.dumps(found))
    for platform in found["platforms"]:
        assert [way["fanout"] for way in platform["epochs"]] == [
            None if f is None else [f.neighbours, f.history] for f in FANOUTS
        ]
        assert all(way["epoch_s"] > 0 for way in platform["epochs"])
        kept = platform["checkpoint"]
        assert min(kept["save_s"], kept["resume_s"], kept["mb"], kept["share_of_an_epoch"]) > 0
    show(found)
    told = capsys.readouterr().out
    assert "sampled, 4 neighbours, 16 items" in told
    assert all(name in told for name in found["samplers"])


def test_our_sample_depends_on_the_seed_alone(found):
    same = {name: n for name, n in found["samplers"][OURS].items() if name.startswith("same")}
    assert set(same.values()) == {DRAWS.seeds}
    assert len(same) == 4


def test_two_seeds_draw_two_samples():
    for name, way in samplers(DRAWS)[0].items():
        assert digest(way(1)) != digest(way(2)), name


def test_a_platform_may_have_many_items():
    graph = generated(3000, items=700, entities=90)
    assert (graph.n_items, graph.n_entities) == (700, 90)
