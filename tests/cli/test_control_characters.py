"""Ids and names that hold escape sequences or markup are shown; neither a terminal nor a page obeys them."""

import pytest
from rich.text import Text

from hier_dag.cli.output import err, out, print_error
from hier_dag.cli.plain_console import shown
from hier_dag.cli.recommend import best_table
from hier_dag.errors import UsageError
from hier_dag.evaluate.svg import inline_svg
from hier_dag.publish.reader import Recommendation

NASTY = {
    "\x1b[31mred\x1b[0m": "\\x1b[31mred\\x1b[0m",
    "\x1b]0;title\x07": "\\x1b]0;title",
    "\x9b2J": "\\x9b2J",
    "\x1b]8;;http://evil\x1b\\link": "\\x1b]8;;http://evil\\x1b",
    "a\rb": "ab",
    "a\x08b": "ab",
    "user\u202egnp.exe": "user\\u202egnp.exe",
}


@pytest.mark.parametrize(("text", "seen"), NASTY.items(), ids=range(len(NASTY)))
def test_a_terminal_shows_escape_sequences(text, seen, capfd):
    with out.capture() as capture:
        out.print(best_table(f"cafe for {text}", [Recommendation(text, text, 0.5, "trained")]))
        out.print(Text(text), text)
    assert seen in capture.get()
    assert text not in capture.get()
    print_error(UsageError(f"m{text}", domain=text, file=text, fix=text))
    answer = capfd.readouterr().err
    assert seen in answer
    assert text not in answer


def test_colours_and_letters_of_all_scripts_stay():
    with err.capture() as capture:
        err.print("[bold]caf\u00e9 \u05d0 \U0001f468\u200d\U0001f469 a\tb[/]")
    assert "caf\u00e9 \u05d0 \U0001f468\u200d\U0001f469" in capture.get()
    assert shown("plain\nlines\t") == "plain\nlines\t"


def test_markup_in_a_picture_is_text():
    from matplotlib.figure import Figure

    canvas = Figure()
    canvas.add_subplot().set_title("<script>alert(1)</script>")
    svg = inline_svg(canvas, "x", 'words "<script>"')
    assert "<script" not in svg
    assert "&lt;script" in svg
