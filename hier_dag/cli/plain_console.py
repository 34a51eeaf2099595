"""A console that shows control characters of ids, names and file names instead of obeying them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

# C0 but tab and newline, DEL, C1 (a terminal takes U+009B for ESC [), and what turns the direction of text.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def shown(text: str) -> str:
    """The text with every character that a terminal would obey written as its escape."""
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], text)


class PlainConsole(Console):
    """Rich's console; only what rich itself puts out moves the cursor or sets a colour."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments of a renderable, control characters within their text shown."""
        for segment in super().render(renderable, options):
            if segment.control is None and _OBEYED.search(segment.text):
                yield Segment(shown(segment.text), segment.style)
            else:
                yield segment
