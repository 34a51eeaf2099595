"""Names of spaces, domains and aliases, as readers are given them."""

from __future__ import annotations

import re

from hier_dag.errors import UsageError
from hier_dag.names import is_name

_SPACE = re.compile(r"[0-9a-f]{16}")


def is_space(text: object) -> bool:
    """Whether a value is the id of a vector space."""
    return isinstance(text, str) and _SPACE.fullmatch(text) is not None


def checked_name(text: str, role: str) -> str:
    """The name of a domain or an alias.

    Args:
        text: what is to be checked.
        role: "domain" or "alias", for the message.

    Raises:
        UsageError: when none can be called so; nothing else may become part of a path.
    """
    if not is_name(text):
        raise UsageError(
            f"no {role} can be called {text!r}.", fix="names are lower-case letters, digits and underscores"
        )
    return text
