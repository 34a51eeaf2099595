"""Pages as HTML that works offline: one file, styles and pictures inside, no script, light and dark."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from hier_dag.audit.card.parts import Page, cell

if TYPE_CHECKING:
    from jinja2 import Template


def html(page: Page) -> str:
    """A page as one HTML document."""
    return _template().render(page=page, cell=cell, svg=Markup)


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("hier_dag.audit.card"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")
