"""Data Docs' pages from templates of our own: theirs load styles, scripts and a logo from public servers.

great-expectations finds the classes by name: nothing else imports this module, and with it the library.
"""

from __future__ import annotations

from pathlib import Path

from great_expectations.render.view import DefaultJinjaIndexPageView, DefaultJinjaPageView
from jinja2 import ChoiceLoader, FileSystemLoader

_TEMPLATES = FileSystemLoader(Path(__file__).parent / "templates")


class OfflinePage(DefaultJinjaPageView):  # type: ignore[misc]
    """A page of results or of a suite."""

    def __init__(self, **directories: str | None) -> None:
        super().__init__(**directories)
        self.env.loader = ChoiceLoader([_TEMPLATES, self.env.loader])


class OfflineIndex(DefaultJinjaIndexPageView):  # type: ignore[misc]
    """The index."""

    def __init__(self, **directories: str | None) -> None:
        super().__init__(**directories)
        self.env.loader = ChoiceLoader([_TEMPLATES, self.env.loader])
