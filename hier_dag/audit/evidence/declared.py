"""What a platform's declaration says of its data and of who answers for what is published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

CONTACT, TERMS, TITLE = "contact", "terms", "title"
_OF_DOMAIN = {"sources": "events", "catalogue": "catalogue"}
Place = tuple[str, str | None, int]
"""(what a source feeds, its domain or None, its number among the sources of that)."""


@dataclass(frozen=True)
class Declared:
    """The parts of domains.yaml that no artifact keeps, since they change no vector.

    Attributes:
        titles: what each domain is called, for people.
        contacts: who answers for a domain; under "" for the platform.
        terms: terms of use of each source.
    """

    titles: Mapping[str, str] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)
    terms: Mapping[Place, str] = field(default_factory=dict)

    def contact(self, domain: str) -> str | None:
        """Who answers for a domain: its own contact, else the platform's."""
        return self.contacts.get(domain) or self.contacts.get("")


def declared(declaration: Mapping[str, Any]) -> Declared:
    """Reads them.

    Args:
        declaration: domains.yaml as JSON, every list of sources a list.
    """
    domains = {"": declaration, **declaration["domains"]}
    return Declared(
        titles={name: d[TITLE] for name, d in domains.items() if name and d.get(TITLE)},
        contacts={name: d[CONTACT] for name, d in domains.items() if d.get(CONTACT)},
        terms={place: source[TERMS] for place, source in _sources(declaration) if source.get(TERMS)},
    )


def _sources(declaration: Mapping[str, Any]) -> Iterable[tuple[Place, Mapping[str, Any]]]:
    for domain, told in declaration["domains"].items():
        for key, feeds in _OF_DOMAIN.items():
            for n, source in enumerate(told.get(key) or ()):
                yield (feeds, domain, n), source
    for feeds, sources in (declaration.get("links") or {}).items():
        for n, source in enumerate(sources):
            yield (feeds, None, n), source
