"""Decision paths in words: what every exemplar, intent and family of intents is called and leads to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SEPARATOR = " · "
NAMES = 3  # parts of a name at most: more are not taken in at a glance


@dataclass(frozen=True)
class Ranked:
    """An entity, item or exemplar in a list, best first.

    Attributes:
        number: dense number.
        name: what it is called; its id where it has no name.
        score: what it is ranked by.
    """

    number: int
    name: str
    score: float


@dataclass(frozen=True)
class Exemplar:
    """A cluster of source items.

    Attributes:
        number: k.
        name: up to three entities that it has more of than the platform; else its most visited items.
        entities: by log-odds against the platform, in standard errors.
        items: its items by source interactions.
        size: number of its items.
    """

    number: int
    name: str
    entities: tuple[Ranked, ...]
    items: tuple[Ranked, ...]
    size: int


@dataclass(frozen=True)
class Intent:
    """Why users act: a topic over exemplars.

    Attributes:
        number: p.
        name: up to three entities that its paths lead to more than the average intent's; else exemplars.
        entities: by log-odds against the other intents, in standard errors.
        paths: its open decision paths, exemplars by φ_pk.
        strength: mean a_up over users with source history.
        family: number of its family.
    """

    number: int
    name: str
    entities: tuple[Ranked, ...]
    paths: tuple[Ranked, ...]
    strength: float
    family: int


@dataclass(frozen=True)
class Family:
    """Intents that stand for one reason.

    Attributes:
        number: f.
        name: as an intent's.
        entities: as an intent's.
        intents: numbers, strongest first.
        strength: sum over its intents.
    """

    number: int
    name: str
    entities: tuple[Ranked, ...]
    intents: tuple[int, ...]
    strength: float


@dataclass(frozen=True)
class Reading:
    """All of it, by number."""

    exemplars: tuple[Exemplar, ...]
    intents: tuple[Intent, ...]
    families: tuple[Family, ...]

    def strongest(self, most: int) -> tuple[Intent, ...]:
        """Intents by falling strength; equal ones by number."""
        return tuple(sorted(self.intents, key=lambda intent: (-intent.strength, intent.number))[:most])


def joined(names: Iterable[str], most: int = NAMES) -> str:
    """The first few names as one, less those that hold an earlier one or are in it (Olive, Green Olive)."""
    kept: list[str] = []
    for name in names:
        if not any(name.casefold() in k.casefold() or k.casefold() in name.casefold() for k in kept):
            kept.append(name)
    return SEPARATOR.join(kept[:most])
