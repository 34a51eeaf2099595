"""Vectors of two spaces have no meaning beside each other: what mixes them is refused."""

from __future__ import annotations

from typing import Protocol

from hier_dag.errors import SpaceError


class InSpace(Protocol):
    """What tells its space: a published set, or anything else with these attributes."""

    @property
    def name(self) -> str:
        """How it is called in messages."""

    @property
    def digest(self) -> str:
        """Digest of the set."""

    @property
    def space(self) -> str | None:
        """Id of its vector space; None where it does not tell."""

    @property
    def dim(self) -> int:
        """Length of its vectors."""


def same_space(a: InSpace, b: InSpace) -> bool:
    """Whether inner products across two sets mean something; a set that tells no space has its own."""
    return a.digest == b.digest or (a.space is not None and a.space == b.space and a.dim == b.dim)


def require_same_space(*sets: InSpace) -> None:
    """Refuses sets of more than one space.

    Raises:
        SpaceError: for the first set that does not share the space of the first.
    """
    for other in sets[1:]:
        if not same_space(sets[0], other):
            raise SpaceError(
                f"{sets[0].name} has {_told(sets[0])}, {other.name} has {_told(other)}; "
                "their vectors do not go together.",
                fix="use sets of one space: a version whose change is aligned or same keeps it",
            )


def check_space(one: InSpace, *, dim: int | None, space: str | None) -> None:
    """Refuses a set of another space than a consumer's own models were built for.

    Args:
        one: the set.
        dim: length of vectors that the consumer takes; None for any.
        space: id of the space that it takes; None for any.

    Raises:
        SpaceError: when the set's are others.
    """
    if dim not in (None, one.dim) or space not in (None, one.space):
        asked = {"space": space, "dimension": dim}
        raise SpaceError(
            f"{one.name} has {_told(one)}; asked for was "
            f"{' and '.join(f'{what} {value}' for what, value in asked.items() if value is not None)}.",
            fix="open an earlier version of that space, or rebuild what was made for it",
        )


def _told(one: InSpace) -> str:
    return f"{f'space {one.space}' if one.space else 'an unnamed space'} and dimension {one.dim}"
