import numpy as np

from hier_dag.evaluate.interpret.chance import beyond_chance
from hier_dag.graph.csr import from_coo


def test_names_of_a_world_with_kinds_are_no_chance_and_those_of_dealt_links_are(world):
    def share(links):
        reading = world.read(links=links)
        return beyond_chance(reading, world.encoding, world.history, links, world.words, seed=0)

    assert share(world.links)["exemplars"] > 0.4
    assert share(world.links)["intents"] > 0.4
    dealt = []
    for seed in range(20):
        to = np.random.default_rng(100 + seed).permutation(60)
        links = from_coo(to[world.links.row_of_entry()], world.links.indices, 60, 7)
        dealt.append(share(links)["exemplars"])
    assert np.mean(dealt) < 0.15


def test_without_entities_nothing_is_beyond_chance(world):
    none = np.zeros(0, np.int64)
    links = from_coo(none, none, 60, 0)
    found = beyond_chance(world.read(links=links), world.encoding, world.history, links, world.words, seed=0)
    assert found == {"exemplars": 0.0, "intents": 0.0}
