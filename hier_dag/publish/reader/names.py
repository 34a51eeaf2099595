"""What names and digests look like: whatever becomes part of a path is checked here first."""

from __future__ import annotations

import re

from hier_dag.errors import UsageError

_NAME = re.compile(r"[a-z0-9_]{1,100}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SPACE = re.compile(r"[0-9a-f]{16}")


def is_digest(text: object) -> bool:
    """Whether a value is a SHA-256 in hex."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def is_space(text: object) -> bool:
    """Whether a value is the id of a vector space."""
    return isinstance(text, str) and _SPACE.fullmatch(text) is not None


def is_inside(name: object) -> bool:
    """Whether a value is a relative file name that stays inside the folder that it is joined to."""
    if not isinstance(name, str) or not name or "\\" in name or "\0" in name:
        return False
    return not {"", ".", ".."} & set(name.split("/"))


def is_name(text: object) -> bool:
    """Whether a value may name a domain or an alias."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


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
