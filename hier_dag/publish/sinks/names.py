"""Names of what a sink makes for a domain and an alias: the same every time, and never those of another."""

from __future__ import annotations

import hashlib


def stem(domain: str, alias: str, longest: int) -> str:
    """What the names of a domain's and alias's tables begin with: `<domain>_<alias>`.

    A digest takes the place of the end where that would be too long, and follows it where the alias has an
    underscore: `a_b` and `c` would otherwise be called as `a` and `b_c`.

    Args:
        domain: of the target.
        alias: such as live.
        longest: characters; at least 20.
    """
    plain = f"{domain}_{alias}"
    if "_" not in alias and len(plain) <= longest:
        return plain
    mark = hashlib.sha256(f"{domain}/{alias}".encode()).hexdigest()[:12]
    return f"{plain[: longest - len(mark) - 1]}_{mark}"


def beside(users_table: str) -> str:
    """Name of the table of items that was made with a table of users."""
    head, _, version = users_table.rpartition("_users__v")
    return f"{head}_items__v{version}"
