"""What names and digests look like: whatever becomes part of a path is checked against this first.

For stores and for the reader of published sets, which imports nothing of the store's.
"""

from __future__ import annotations

import re

LONGEST_NAME = 100
"""Characters of a domain or platform name: file names made of it stay below a file system's 255 bytes."""
_NAME = re.compile(rf"[a-z0-9_]{{1,{LONGEST_NAME}}}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def is_name(text: object) -> bool:
    """Whether a value may name a domain, an alias, a platform or a partition, and so a folder."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def is_digest(text: object) -> bool:
    """Whether a value is a SHA-256 in hex."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def is_inside(name: object) -> bool:
    """Whether a value is a relative file name that stays inside the folder that it is joined to."""
    if not isinstance(name, str) or not name or "\\" in name or "\0" in name:
        return False
    return not {"", ".", ".."} & set(name.split("/"))


def title_of(kind: str, partition: str | None) -> str:
    """How a person calls an artifact: kg/graph, raw/events[food]."""
    return f"{kind}[{partition}]" if partition else kind
