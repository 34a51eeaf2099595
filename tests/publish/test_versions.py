"""A roll-back leads to the set before, and the pipeline does not undo it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hier_dag.errors import UsageError
from hier_dag.publish.versions import held_back, version_to_restore
from hier_dag.registry import AliasRow


def history(*moves):
    """Newest first; a move is a digest, with ! before it where it is a roll-back."""
    now = datetime.now(UTC)
    rows = []
    for version, move in enumerate(moves, 1):
        action = "rollback" if "!" in move else "publish"
        digest = move.strip("!")
        rows.append(AliasRow("food", "live", version, digest, action, "same", "s", {}, "r", "me", "w", now))
    return rows[::-1]


@pytest.mark.parametrize(
    ("moves", "digest", "by"),
    [
        (["a", "b", "!a"], "b", 3),  # taken away: a rerun would bring it back
        (["a", "b", "!a"], "c", None),  # a new set is published
        (["a", "b", "!a", "c"], "b", None),  # something new was published since
        (["a", "b", "c", "!b", "!a"], "c", 5),
        (["a", "b", "c", "!b", "!a"], "b", 5),
        (["a", "b", "!a", "!b"], "b", None),  # brought back on purpose
        (["a", "b", "!a", "!b"], "a", 4),
        (["a"], "a", None),
        ([], "a", None),
    ],
)
def test_a_set_that_was_rolled_back_stays_away_until_something_new_is_published(moves, digest, by):
    held = held_back(history(*moves), digest)
    assert (held.version if held else None) == by


def test_another_set_of_a_model_that_was_rolled_back_from_stays_away_too():
    rows = [
        replace(row, facts={"model": model})
        for row, model in zip(history("a", "b", "!a"), ("m1", "m2", "m1"), strict=True)
    ]
    assert held_back(rows, "c", "m2").version == 3
    assert held_back(rows, "c", "m3") is None
    assert held_back(rows, "c", "m1") is None, "its model is in force: something else was wrong"


@pytest.mark.parametrize(
    ("moves", "to", "version"),
    [
        (["a", "b"], None, 1),
        (["a", "b", "c"], None, 2),
        (["a", "b", "c", "!b"], None, 1),  # further back
        (["a", "b", "a"], None, 2),  # published again, and not by a roll-back
        (["a", "b", "c"], 1, 1),
        (["a", "b", "!a"], 2, 2),  # forward again
    ],
)
def test_a_roll_back_leads_to_the_set_before_or_to_the_version_named(moves, to, version):
    assert version_to_restore(history(*moves), "food", "live", to).version == version


@pytest.mark.parametrize(
    ("moves", "to", "words"),
    [
        ([], None, "no version.*hier run"),
        (["a"], None, "no earlier set.*versions 1 to 1 are on record"),
        (["a", "b", "!a"], None, "no earlier set"),
        (["a", "b"], 7, "no version 7.*1 to 2 are on record"),
        (["a", "b"], 2, "version 2 is in force already"),
        (["a", "b", "!a"], 1, "version 1 is in force already, as version 3"),
    ],
)
def test_where_there_is_nothing_to_go_back_to_the_words_say_what_there_is(moves, to, words):
    with pytest.raises(UsageError, match=words):
        version_to_restore(history(*moves), "food", "live", to)
