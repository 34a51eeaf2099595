"""Names of spaces: which published sets a consumer's model can read alike."""

from __future__ import annotations

from hier_dag.publish.space.comparison import Change

_DIGITS = 16


def space_id(model_digest: str, change: Change, anchor_space: str | None = None) -> str:
    """The space of a set, 16 hex digits.

    A space is named by the first digits of the model that began it, so that the model can be found by them.
    A set that is `same` or was `aligned` goes on with its anchor's name: a consumer compares names alone.

    Args:
        model_digest: SHA-256 of the model artifact that the vectors are of, in hex.
        change: what the set is to consumers of the live one.
        anchor_space: the space of the set that it goes on with; not read where it begins its own.

    Raises:
        ValueError: the set goes on with a space, and none is given.
    """
    if change in ("first", "breaking"):
        return model_digest[:_DIGITS]
    if anchor_space is None:
        raise ValueError(f"a set that is {change!r} goes on with a space, and none is given")
    return anchor_space
