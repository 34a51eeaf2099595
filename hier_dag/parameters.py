"""What is wrong with a set of declared parameters, all of it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class Mistake:
    """One parameter that cannot be as it is.

    Attributes:
        name: the parameter, dotted where it lies in a part of what was checked.
        message: what is wrong, with the values that are allowed.
        given: the word that is not allowed, where the parameter takes one of a few.
        allowed: those few.
        fix: what to do, where the message does not say it.
    """

    name: str
    message: str
    given: str = ""
    allowed: tuple[str, ...] = ()
    fix: str = ""


class ParameterError(ValueError):
    """Every mistake of one set of parameters; a ValueError, so that pydantic gives it the set's place.

    Args:
        mistakes: at least one.
    """

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(self.mistakes)

    def __str__(self) -> str:
        return "; ".join(mistake.message for mistake in self.mistakes)


def refuse(mistakes: Iterable[Mistake]) -> None:
    """Ends the check of a set of parameters.

    Raises:
        ParameterError: there is a mistake.
    """
    if found := list(mistakes):
        raise ParameterError(found)


def wrong_numbers(
    params: object, names: Iterable[str], fits: Callable[[float], bool], must: str
) -> Iterator[Mistake]:
    """Those of the named numbers that are not finite or do not fit.

    Args:
        params: has each name as an attribute.
        names: the numbers to check.
        fits: whether a finite number may stand.
        must: how the message goes on after "must".
    """
    for name in names:
        value = getattr(params, name)
        if not (-inf < value < inf and fits(value)):
            yield Mistake(name, f"{name} must {must}, is {value}")


def wrong_words(name: str, given: Iterable[str], allowed: tuple[str, ...]) -> Iterator[Mistake]:
    """Words of one parameter that are none of the few that it takes."""
    for word in given:
        if word not in allowed:
            yield Mistake(name, f"{name} must be one of {', '.join(allowed)}, is {word!r}", word, allowed)
