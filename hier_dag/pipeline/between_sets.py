"""What becomes of the space when an alias goes back to a set: by what is on record, no set is read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hier_dag.pipeline.against_live import Change
from hier_dag.registry import AliasRow

_OF_ONE_SPACE = ("same", "aligned")


def between(history: Sequence[AliasRow], new: AliasRow, old: AliasRow) -> Change:
    """What a set is to the one that it takes the place of.

    A move to a set that was published before must take no longer the larger the sets are, and must be
    possible while files of the set in force are damaged. So it says what was found when one of the two was
    published in the place of the other, whichever it was. Sets of one space that were never compared with
    each other are `aligned`, the weaker of the two words for them, and the facts say that nobody looked.

    Args:
        history: moves of the domain's aliases, each alias newest first.
        new: a version of the set that is to be in force.
        old: the version in force.

    Returns:
        The word, and facts of the move: `comparison` and `comparison_of` (the version whose figures they
        are), or `not_compared`.
    """
    if new.digest == old.digest:
        return "same", {}
    if new.space != old.space:
        return "breaking", _figures(history, new, old)[1]
    word, facts = _figures(history, new, old)
    return (word, facts) if word in _OF_ONE_SPACE else ("aligned", facts)


def _figures(history: Sequence[AliasRow], new: AliasRow, old: AliasRow) -> Change:
    wanted = {new.digest, old.digest}
    for row, before in pairwise(history):
        # Numbers that leap tell of a registry that was restored: the row was compared with what it lacks.
        follows = (row.alias, row.version) == (before.alias, before.version + 1)
        compared = row.facts.get("comparison")
        if (
            follows
            and compared
            and "comparison_of" not in row.facts
            and {row.digest, before.digest} == wanted
        ):
            return row.change, {"comparison": compared, "comparison_of": row.version}
    return "", {"not_compared": "the two sets never took each other's place by a publication"}
