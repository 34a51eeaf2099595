"""Pages as Markdown: names come from logs, so nothing in them is taken for markup."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hier_dag.audit.card.parts import Cell, Page, Part, Table, cell

_MARKUP = re.compile(r"([\\`*_\[\]<>|#~&])")
_BREAKS = re.compile(r"\s*[\r\n\x0b\x0c\x85\u2028\u2029]+\s*")


def markdown(page: Page) -> str:
    """A page as Markdown, with tables as GitHub has them."""
    lines = [f"# {escaped(page.title)}", "", escaped(page.lead), ""]
    lines += [line for words in page.verdict for line in (f"> {escaped(words)}", ">")][:-1]
    for part in page.parts:
        lines += ["", *_part(part)]
    return "\n".join(lines).rstrip() + "\n"


def escaped(text: str) -> str:
    """A text on one line, with every character that Markdown could take for markup escaped."""
    return _MARKUP.sub(r"\\\1", _BREAKS.sub(" ", text))


def _part(part: Part) -> Iterator[str]:
    yield from (f"## {escaped(part.title)}", "")
    for text in part.text:
        yield from (escaped(text), "")
    if part.points:
        yield from (*(f"- {escaped(point)}" for point in part.points), "")
    if part.picture is not None:
        yield from (f"![{escaped(part.picture.words)}]({part.picture.file})", "")
    for table in part.tables:
        yield from _table(table)
    if part.commands:
        yield from ("```bash", *part.commands, "```", "")


def _table(table: Table) -> Iterator[str]:
    if table.title:
        yield from (f"### {escaped(table.title)}", "")
    yield _row([escaped(head) for head in table.heads])
    yield _row(["---"] * len(table.heads))
    for row in table.rows:
        yield _row([_told(cell(one)) for one in row])
    yield ""


def _told(one: Cell) -> str:
    return escaped(f"{one.text} {one.note}".strip())


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
