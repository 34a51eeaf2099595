"""Traces lead to everything an artifact was made of, or that was made of it, and say what became of it."""

import shutil

from hier_dag.lineage.trace import trace

FILES = [("cafe.csv", "1" * 64)]


def kinds(found):
    return [a.node.kind for a in found.artifacts]


def test_ancestors_of_a_set_lead_to_the_events(works):
    made = works.line("cafe", FILES)
    works.publish("cafe", made["publish/embeddings"])
    found = trace(works.registry, works.stores, made["publish/embeddings"], up=True)
    assert {a.node.digest for a in found.artifacts} == set(made.values())
    assert found.artifacts[0].node.digest == made["publish/embeddings"]
    assert [(v.domain, v.version, v.in_force) for v in found.artifacts[0].versions] == [("cafe", 1, True)]
    assert found.artifacts[-1].node.title == "raw/events[cafe]"
    assert found.artifacts[-1].steps == 2
    one_step = trace(works.registry, works.stores, made["publish/embeddings"], up=True, depth=1)
    assert sorted(kinds(one_step)) == ["finetune/model", "kg/graph", "pretrain/encoder", "publish/embeddings"]


def test_descendants_of_events_end_at_what_is_live(works):
    old, new = works.line("cafe", FILES), works.line("cafe", FILES, epochs=9)
    for made in (old, new):
        works.publish("cafe", made["publish/embeddings"])
    works.publish("cafe", old["publish/embeddings"], alias="canary")
    found = trace(works.registry, works.stores, old["raw/events"], up=False)
    versions = {
        a.node.digest: [(v.alias, v.version, v.in_force) for v in a.versions] for a in found.artifacts
    }
    assert versions[new["publish/embeddings"]] == [("live", 2, True)]
    assert versions[old["publish/embeddings"]] == [("canary", 1, True), ("live", 1, False)]
    assert versions[old["raw/events"]] == []


def test_what_was_removed_from_the_store_is_still_on_the_way(works):
    made = works.line("cafe", FILES)
    shutil.rmtree(works.store.path_of("kg/graph", made["kg/graph"]))
    found = trace(works.registry, works.stores, made["publish/embeddings"], up=True)
    stores = {a.node.kind: a.stores for a in found.artifacts}
    assert stores["kg/graph"] == ()
    assert stores["raw/events"] == ("town",)


def test_the_tree_shows_each_artifact_once_on_its_longest_way(works):
    first = works.line("cafe", FILES)
    second = works.line("cafe", FILES, anchor=first["publish/embeddings"], epochs=9)
    found = trace(works.registry, works.stores, second["publish/embeddings"], up=True)
    tree = found.tree()
    below = {d: (role, here) for here, steps in tree.items() for role, d in steps}
    assert below.keys() == {a.node.digest for a in found.artifacts} - {second["publish/embeddings"]}
    assert sum(map(len, tree.values())) == len(below)
    assert below[second["finetune/model"]] == ("model", second["publish/embeddings"])
    assert below[second["pretrain/encoder"]] == ("encoder", second["finetune/model"])
    # Both encoders were trained on this graph: it lies below the one that the set holds something of.
    assert below[first["kg/graph"]] == ("graph", second["pretrain/encoder"])
    assert below[first["publish/embeddings"]] == ("anchor", second["publish/embeddings"])
    assert below[first["pretrain/encoder"]] == ("encoder", first["finetune/model"])
