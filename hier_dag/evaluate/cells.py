"""Tables of a page as plain data: what the template fills in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hier_dag.evaluate.comparison import Comparison
from hier_dag.evaluate.figures import Figure

_MINUS = re.compile(r"(?<!\w)-(?=[\d.])")  # of a figure, not of "few-shot"


@dataclass(frozen=True)
class Head:
    """Head of a column; `words` for columns of sentences rather than numbers."""

    text: str
    words: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell: its text, a small note under it, and CSS classes."""

    text: str
    note: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Row:
    """A row with its head, which may be a link within the page; `hier` lets it stand out."""

    head: str
    cells: tuple[Cell, ...]
    hier: bool = False
    link: str = ""


@dataclass(frozen=True)
class Table:
    """A table; a folded one opens on a click on its title."""

    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    title: str = ""
    folded: bool = False


NOTHING = Cell("–", kind="level")


def heads(*texts: str, words: tuple[str, ...] = ()) -> tuple[Head, ...]:
    """Heads of columns, those named in `words` for sentences."""
    return tuple(Head(text, text in words) for text in texts)


def figure_cell(figure: Figure | None, best: bool = False) -> Cell:
    """A figure with its interval under it."""
    if figure is None:
        return NOTHING
    return Cell(f"{figure.value:.4f}", interval(figure), "best" if best else "")


def gain_cell(found: Comparison | None) -> Cell:
    """A paired gain with its interval under it, coloured by the side of zero that the interval lies on."""
    if found is None:
        return NOTHING
    percent = "" if found.percent is None else f" ({found.percent:+.0f} %)"
    return Cell(signed(f"{found.gain.value:+.4f}{percent}"), interval(found.gain, "+"), found.side)


def interval(figure: Figure, sign: str = "") -> str:
    """The interval of a figure in brackets; `sign` is "+" for differences."""
    return signed(f"[{figure.low:{sign}.4f}, {figure.high:{sign}.4f}]")


def signed(words: str) -> str:
    """Words whose figures have a minus sign as wide as their plus sign."""
    return _MINUS.sub("−", words)
