import numpy as np
import pytest

from hier_dag.evaluate.interpret.read import Words
from hier_dag.evaluate.interpret.reading import joined
from hier_dag.graph.csr import from_coo

OF_KIND = ({"Ramen", "Miso"}, {"Pizza", "Mozzarella"}, {"Taco", "Salsa"})


def kinds_in(name):
    return {k for k, words in enumerate(OF_KIND) if words & set(name.split(" · "))}


def test_exemplars_and_intents_are_named_after_what_is_their_own(world):
    reading = world.read()
    members = world.encoding.memberships().argmax(axis=1)
    for exemplar in reading.exemplars:
        own = set((np.flatnonzero(members == exemplar.number) % 3).tolist())
        if exemplar.size >= 5 and len(own) == 1:
            assert kinds_in(exemplar.name) == own, exemplar
        assert "Open Late" not in exemplar.name  # on every item: it tells nothing apart
    for intent in reading.intents:
        if intent.paths[0].score > 0.9:
            assert kinds_in(intent.name) == kinds_in(reading.exemplars[intent.paths[0].number].name)
    assert {k for intent in reading.intents for k in kinds_in(intent.name)} == {0, 1, 2}


def test_lists_hold_what_the_numbers_say(world):
    reading, encoding = world.read(), world.encoding
    visits = np.bincount(world.history.indices, minlength=60)
    members = encoding.memberships().argmax(axis=1)
    for x in reading.exemplars:
        assert x.size == (members == x.number).sum()
        assert [i.score for i in x.items] == sorted((i.score for i in x.items), reverse=True)
        assert all(members[i.number] == x.number and visits[i.number] == i.score for i in x.items)
        assert all(i.name == f"Item {i.number}" for i in x.items)
    for intent in reading.intents:
        assert all(encoding.paths[intent.number, p.number] == np.float32(p.score) for p in intent.paths)
        assert intent.strength == pytest.approx(encoding.intents[:, intent.number].mean(), abs=1e-6)
    for family in reading.families:
        assert {reading.intents[p].family for p in family.intents} == {family.number}
        assert family.strength == pytest.approx(sum(reading.intents[p].strength for p in family.intents))
    assert sorted(p for f in reading.families for p in f.intents) == list(range(len(reading.intents)))
    strongest = reading.strongest(2)
    assert len(strongest) == 2
    assert strongest[0].strength == max(i.strength for i in reading.intents)


def test_without_entities_items_name_exemplars_and_exemplars_name_intents(world):
    none = np.zeros(0, np.int64)
    reading = world.read(
        links=from_coo(none, none, 60, 0), words=Words(np.zeros(0, object), world.words.items)
    )
    for x in reading.exemplars:
        if x.items:
            assert x.name.split(" · ")[0] == x.items[0].name
        assert x.entities == ()
    for intent in reading.intents:
        assert intent.name == intent.paths[0].name
    assert all(family.name for family in reading.families)


def test_equal_input_is_read_alike(world):
    assert world.read() == world.read()


def test_without_any_interaction_numbers_are_the_names(world):
    from hier_dag.model.interactions import encode_interactions

    none = np.zeros(0, np.int64)
    empty = from_coo(none, none, 240, 60)
    reading = world.read(history=empty, encoding=encode_interactions(empty, 8, 4, 6, 0))
    assert [x.name for x in reading.exemplars] == ["exemplar 0"]
    assert reading.exemplars[0].size == 0
    assert [i.strength for i in reading.intents] == [0.0]


def test_a_name_does_not_say_the_same_twice():
    assert joined(["Olive", "Green Olive", "Hummus", "olive", "Pita", "Falafel"]) == "Olive · Hummus · Pita"
    assert joined([]) == ""
