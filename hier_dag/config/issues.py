"""What pydantic and the parameters find wrong with domains.yaml, in its own places and with a fix."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hier_dag.config.models import PlatformConfig
from hier_dag.config.yaml_lines import Located, Path
from hier_dag.parameters import Mistake, ParameterError

_SEE_DOCS = "see docs/domains_yaml.md"


@dataclass(frozen=True)
class Issue:
    """One mistake in domains.yaml: where it is, what it is, how to mend it."""

    line: int
    where: str
    message: str
    fix: str


def issues_of(document: Located, found: ValidationError) -> list[Issue]:
    """Every mistake that validation found, but for values that are already a problem of the YAML."""
    placed = [p for error in found.errors() for p in _placed(document, error)]
    return [_issue(document, *p) for p in placed if p[0] not in document.broken]


def _placed(document: Located, error: ErrorDetails) -> Iterator[tuple[Path, str, str]]:
    """Place, message and fix of an error; of each mistake where it is about a whole set of parameters."""
    loc = _place(document, error)
    wrong = error.get("ctx", {}).get("error")
    if not isinstance(wrong, ParameterError):
        yield loc, error["msg"].removeprefix("Value error, "), _fix(error, loc)
        return
    for mistake in wrong.mistakes:
        place = loc
        for part in mistake.name.split("."):
            place = (*place, part) if (*place, part) in document.lines else place
        yield place, mistake.message, _fix_of(mistake)


def _place(document: Located, error: ErrorDetails) -> Path:
    # pydantic names union branches inside `loc`; only what the document has is a place for a person.
    loc: Path = ()
    for part in error["loc"]:
        if (*loc, part) in document.lines or error["type"] in ("missing", "extra_forbidden"):
            loc = (*loc, part)
    return loc


def _issue(document: Located, loc: Path, message: str, fix: str) -> Issue:
    where = ".".join(map(str, loc)) or "document"
    return Issue(document.line_of(loc), where, message.rstrip(".") + ".", fix)


def _fix_of(mistake: Mistake) -> str:
    if not mistake.allowed:
        return mistake.fix or _SEE_DOCS
    return _nearest(mistake.given, list(mistake.allowed)) or f"write one of {', '.join(mistake.allowed)}"


def _fix(error: ErrorDetails, loc: Path) -> str:
    if error["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return _nearest(str(loc[-1]), _all_keys()) or f"remove it, or {_SEE_DOCS}"
    if error["type"] in ("missing", "missing_argument"):
        return f"add {loc[-1]!r}"
    context = error.get("ctx", {})
    expected = str(context.get("expected_tags" if error["type"] == "union_tag_invalid" else "expected", ""))
    if error["type"] in ("literal_error", "union_tag_invalid"):
        given = str(context.get("tag", error["input"]))
        return _nearest(given, re.findall(r"'([^']*)'", expected)) or f"write one of {expected}"
    return _SEE_DOCS


def _nearest(given: str, allowed: list[str]) -> str | None:
    close = difflib.get_close_matches(given, allowed, n=1)
    return f"did you mean {close[0]!r}?" if close else None


def _all_keys() -> list[str]:
    keys: set[str] = set()

    def visit(schema: Any) -> None:
        if isinstance(schema, dict):
            keys.update(schema.get("properties", {}))
            for value in schema.values():
                visit(value)
        elif isinstance(schema, list):
            for value in schema:
                visit(value)

    visit(PlatformConfig.model_json_schema())
    return sorted(keys)
