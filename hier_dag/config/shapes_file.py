"""Reads a file of shapes and finds every mistake in it, each with the file's own line and a fix."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from pathlib import Path

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hier_dag.config.shapes import NODE, RELATION, NodeShape, Range, RelationShape, Shapes
from hier_dag.config.yaml_lines import Located, parse
from hier_dag.errors import ConfigError

LARGEST = 1 << 20
"""Bytes of a file of shapes."""
_DOCS = "see Shapes in docs/domains_yaml.md"
_KEYS = sorted(
    {f.alias or name for m in (NodeShape, RelationShape, Range) for name, f in m.model_fields.items()}
)


def check_shapes(
    path: Path, domains: Collection[str] | None = None
) -> tuple[Shapes | None, list[tuple[str, str]]]:
    """Reads a file of shapes without raising.

    Args:
        path: a YAML file with one key, `shapes`.
        domains: declared domains, which `interacts:<domain>` may name; None allows any.

    Returns:
        The shapes (None where there is a mistake) and all mistakes: what, with file and line, and its fix.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            return None, [(f"{path} is larger than {LARGEST >> 20} MiB, which no shapes are.", _DOCS)]
        document = parse(data.decode("utf-8"))
    except UnicodeDecodeError as e:
        return None, [(f"{path} is not UTF-8: {e.reason}.", "save the file as UTF-8")]
    except (OSError, ValueError) as e:  # ValueError: a NUL character in the path
        reason = getattr(e, "strerror", None) or e
        return None, [(f"{path} cannot be read: {reason}.", "give the path of a file of shapes")]
    except RecursionError:
        return None, [(f"{path} is nested too deeply.", _DOCS)]
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        return None, [(f"{path} line {line}: {getattr(e, 'problem', e)}.", "mend the YAML syntax")]
    found = [(f"{path} line {line}: {message}.", fix) for line, message, fix in document.problems]
    try:
        shapes = Shapes.model_validate(document.value)
    except ValidationError as e:
        return None, found + [_mistake(path, document, error) for error in e.errors()]
    found += _unknown_domains(path, document, shapes, domains)
    return (None if found else shapes), found


def load_shapes(path: Path) -> Shapes:
    """Reads a file of shapes.

    Raises:
        ConfigError: naming every mistake, with line and fix.
    """
    shapes, mistakes = check_shapes(path)
    if shapes is None:
        listed = "\n".join(f"  {message} Fix: {fix}" for message, fix in mistakes)
        raise ConfigError(f"{len(mistakes)} mistake(s) in shapes:\n{listed}", file=str(path), fix=_DOCS)
    return shapes


def _mistake(path: Path, document: Located, error: ErrorDetails) -> tuple[str, str]:
    loc = tuple(part for part in error["loc"] if part not in (NODE, RELATION))
    where = ".".join(map(str, loc)) or "document"
    message = error["msg"].removeprefix("Value error, ").rstrip(".")
    fix = _DOCS
    if error["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(loc[-1]), _KEYS, n=1)
        fix = f"did you mean {close[0]!r}?" if close else f"remove it, or {_DOCS}"
    elif error["type"] == "missing":
        fix = f"add {loc[-1]!r}"
    elif error["type"] == "literal_error":
        fix = f"write one of {error.get('ctx', {}).get('expected', '')}"
    return f"{path} line {document.line_of(loc)}: {where}: {message}.", fix


def _unknown_domains(
    path: Path, document: Located, shapes: Shapes, domains: Collection[str] | None
) -> list[tuple[str, str]]:
    found = []
    for number, shape in enumerate(shapes.shapes):
        domain = shape.relation.partition(":")[2] if isinstance(shape, RelationShape) else ""
        if domain and domains is not None and domain not in domains:
            place = ("shapes", number, "relation")
            line, where = document.line_of(place), ".".join(map(str, place))
            known = ", ".join(domains)
            found.append((f"{path} line {line}: {where}: no domain is called {domain!r}.", f"one of {known}"))
    return found
