"""Data Docs' pages from templates of our own: theirs load styles, scripts and a logo from public servers.

great-expectations finds the classes by name: nothing else imports this module, and with it the library.
"""

from __future__ import annotations

from pathlib import Path

from great_expectations.render.view import DefaultJinjaIndexPageView, DefaultJinjaPageView
from jinja2 import ChoiceLoader, Environment, FileSystemLoader

_TEMPLATES = Path(__file__).parent / "templates"
_COMPILED: dict[str, Environment] = {}
"""By class: a view is made anew for every page, and compiling the templates takes longer than the page."""


def _ours(name: str, theirs: Environment) -> Environment:
    """Their environment with our templates in front; the one of an earlier view where there is one."""
    if name not in _COMPILED:
        behind = [] if theirs.loader is None else [theirs.loader]
        theirs.loader = ChoiceLoader([FileSystemLoader(_TEMPLATES), *behind])
        _COMPILED[name] = theirs
    return _COMPILED[name]


class OfflinePage(DefaultJinjaPageView):  # type: ignore[misc]
    """A page of results or of a suite."""

    env: Environment

    def __init__(self, **directories: str | None) -> None:
        super().__init__(**directories)
        self.env = _ours("page", self.env)


class OfflineIndex(DefaultJinjaIndexPageView):  # type: ignore[misc]
    """The index."""

    env: Environment

    def __init__(self, **directories: str | None) -> None:
        super().__init__(**directories)
        self.env = _ours("index", self.env)
