"""Checks of a set and of what it was made of, with their figures; what facts show of rows is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hier_dag.audit.evidence.made_of import Made
from hier_dag.registry import CheckRow

_WORDS = frozenset(
    {"message", "sentence", "change", "verdict", "baseline", "waiver", "approval", "cut", "role"}
)
"""Facts in words that gates write, which name no user and no item."""


def told_checks(found: Sequence[tuple[Made, CheckRow]]) -> list[dict[str, Any]]:
    """Checks as JSON: kind, partition, artifact, name, passed, facts."""
    return [
        {
            "kind": one.row.kind,
            "partition": one.row.partition,
            "artifact": one.row.digest,
            "name": check.name,
            "passed": check.passed,
            "facts": figures(check.facts),
        }
        for one, check in found
    ]


def figures(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers, truth values and the words of gates; a list, which may hold ids, is told by its length."""
    found: dict[str, Any] = {}
    for key, value in facts.items():
        if isinstance(value, Mapping):
            if inner := figures(value):
                found[key] = inner
        elif isinstance(value, list | tuple):
            found[key] = len(value)
        elif isinstance(value, bool | int | float) or (isinstance(value, str) and key in _WORDS):
            found[key] = value
    return found
