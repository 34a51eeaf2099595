"""Parts of a page as plain data, written as Markdown or HTML alike."""

from __future__ import annotations

from dataclasses import dataclass

GOOD, BAD, SOFT, WORDS = "good", "bad", "soft", "words"
"""How a cell looks: good or bad news, of less weight, or a sentence."""


@dataclass(frozen=True)
class Cell:
    """A cell: its text, a note that belongs to it, how it looks."""

    text: str
    note: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """A table; the first column of each row is its head.

    Attributes:
        heads: of all columns.
        rows: as many cells each; a string is a plain cell.
        title: above it; a folded table opens on a click on its title.
        folded: whether it is shown closed at first.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell | str, ...], ...]
    title: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture: an `<svg>` element, what it shows in words, the file it is in beside a page in Markdown."""

    svg: str
    words: str
    file: str


@dataclass(frozen=True)
class Part:
    """A titled part of a page.

    Attributes:
        title: heading.
        text: paragraphs.
        points: a list below them.
        tables: tables.
        picture: a picture, or None.
        commands: what to type, a line each.
    """

    title: str
    text: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    picture: Picture | None = None
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        title: heading.
        lead: first paragraph.
        verdict: what most readers want to know, a paragraph each.
        chips: facts in a word or two.
        parts: the rest.
        links: files beside it: what each is, and its name.
    """

    title: str
    lead: str
    verdict: tuple[str, ...]
    chips: tuple[str, ...]
    parts: tuple[Part, ...]
    links: tuple[tuple[str, str], ...] = ()


def cell(given: Cell | str) -> Cell:
    """A cell, of a string too."""
    return given if isinstance(given, Cell) else Cell(given)
