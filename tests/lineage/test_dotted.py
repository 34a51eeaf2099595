"""What differs between nested values is told by dotted keys, and is all that differs."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.lineage.dotted import ABSENT, Change, changes, flat

plain = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3))
names = st.text("abc", min_size=1, max_size=2)
values = st.recursive(
    plain, lambda inner: st.one_of(st.lists(inner), st.dictionaries(names, inner)), max_leaves=8
)


def test_added_removed_and_changed_values_are_told_apart():
    before = {"head": {"weight": 1.0, "old": True}, "seeds": [0, 1], "sources": [{"path": "a"}]}
    after = {"head": {"weight": 2.0}, "seeds": [0, 2], "sources": [{"path": "a"}, {"path": "b"}]}
    assert changes(before, after) == [
        Change("head.old", True, ABSENT),
        Change("head.weight", 1.0, 2.0),
        Change("seeds", [0, 1], [0, 2]),
        Change("sources.1.path", ABSENT, "b"),
    ]


def test_one_is_neither_true_nor_1_0():
    assert changes({"k": 1}, {"k": True}) == [Change("k", 1, True)]
    assert changes({"k": 1}, {"k": 1.0}) == [Change("k", 1, 1.0)]


objects = st.dictionaries(names, values, max_size=3)


@settings(max_examples=50)
@given(objects, objects)
def test_values_are_equal_exactly_where_nothing_differs(before, after):
    same = list(flat(before)) == list(flat(after))
    assert changes(before, before) == []
    assert same <= (changes(before, after) == [])
    for change in changes(before, after):
        assert dict(flat(before)).get(change.key, ABSENT) == change.before
        assert dict(flat(after)).get(change.key, ABSENT) == change.after
