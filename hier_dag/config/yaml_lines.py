"""YAML with the line of every key, duplicate keys refused, environment variables filled in.

Aliases of aliases and merged mappings may stand for more values than any memory holds (a "billion laughs"),
so values are counted as they are written out and merges as they are made.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]
_PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
# A bounded default: text of `${A:-${A:-…` without end would be searched to its end from every start.
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]{0,1000}))?\}")
MOST_VALUES = 100_000
"""Values of one document, those that aliases stand for counted each time. A domain has some thirty."""
_MOST_MERGED = 10_000  # keys of one mapping once its merges are made
_LONGEST = 10_000  # characters of one value
_SHOWN = 100  # characters of a value that a message repeats
# What PyYAML's constructors let escape where a scalar looks like its tag and is none of its values.
_NO_VALUE = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError)


@dataclass
class Located:
    """A parsed document.

    Attributes:
        value: plain Python values (safe constructors only: a tag such as !!python/object is refused).
        lines: 1-based line of each path.
        problems: (line, message, fix) of duplicate or unusable keys, values that are none, anchors that hold
            themselves, and unset variables.
        broken: paths whose value is one of the problems, so that no type check need name them again.
        variables: names of the environment variables that were set and used, per path.
    """

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[tuple[int, str, str]] = field(default_factory=list)
    broken: set[Path] = field(default_factory=set)
    variables: dict[Path, set[str]] = field(default_factory=dict)

    def line_of(self, path: Path) -> int:
        """Line of a path, or of its nearest located ancestor."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, its merges bounded."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)  # type: ignore[no-untyped-call]
        if len(node.value) > _MOST_MERGED:
            raise _too_much(node, f"merges make a mapping of more than {_MOST_MERGED:,} keys")


def _too_much(node: yaml.Node, message: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, message, node.start_mark)


def parse(text: str) -> Located:
    """Parses one YAML document.

    Raises:
        yaml.YAMLError: on a syntax error, an unsafe tag, or aliases that stand for more than `MOST_VALUES`.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        out = Located()
        out.value = None if node is None else _convert(loader, node, (), out, frozenset())
        return out
    finally:
        loader.dispose()


def _convert(
    loader: yaml.SafeLoader, node: yaml.Node, path: Path, out: Located, above: frozenset[int]
) -> Any:
    if len(out.lines) > MOST_VALUES:
        raise _too_much(node, f"more than {MOST_VALUES:,} values, those of aliases counted each time")
    out.lines[path] = line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        value = _scalar(loader, node, path, out)
        return _expand(value, path, out) if isinstance(value, str) else value
    if node.tag not in _PLAIN_TAGS:
        raise yaml.constructor.ConstructorError(
            None, None, f"the tag {node.tag!r} is not allowed: plain values only", node.start_mark
        )
    if id(node) in above:
        out.problems.append((line, "this anchor holds an alias of itself", "write its values out"))
        out.broken.add(path)
        return None
    above |= {id(node)}
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, path, out, above)
    return [_convert(loader, child, (*path, i), out, above) for i, child in enumerate(node.value)]


def _mapping(
    loader: yaml.SafeLoader, node: yaml.MappingNode, path: Path, out: Located, above: frozenset[int]
) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    value: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            out.problems.append(
                (line, "a key is plain text, not a list or a mapping", "write it as `key: value`")
            )
            continue
        key = _scalar(loader, key_node, path, out)
        if key in value:
            first = out.lines[(*path, key)]
            message = f"key {_short(key)} is declared twice (first on line {first})"
            fix = "keep one of them: a domain is a source or a target, never both"
            out.problems.append((line, message, fix))
            continue
        value[key] = _convert(loader, value_node, (*path, key), out, above)
        out.lines[(*path, key)] = line
    return value


def _scalar(loader: yaml.SafeLoader, node: yaml.ScalarNode, path: Path, out: Located) -> Any:
    """A scalar's value; its text, with a problem noted, where YAML reads it as a value that is none."""
    if len(node.value) > _LONGEST:
        fix = "a name, path or number is meant here"
        problem = f"a value of {len(node.value):,} characters, more than the {_LONGEST:,} that one may have"
        out.problems.append((node.start_mark.line + 1, problem, fix))
        out.broken.add(path)
        return node.value[:_SHOWN]
    try:
        return loader.construct_object(node, deep=True)  # type: ignore[no-untyped-call]
    except _NO_VALUE as e:
        kind = node.tag.rpartition(":")[2]
        fix = "correct it, or put it in quotes if it is text"
        out.problems.append(
            (node.start_mark.line + 1, f"{_short(node.value)} is no valid {kind}: {str(e)[:200]}", fix)
        )
        out.broken.add(path)
        return node.value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _expand(text: str, path: Path, out: Located) -> str:
    def fill(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        if name in os.environ:
            out.variables.setdefault(path, set()).add(name)
            return os.environ[name]
        if default is None:
            fix = "export it, or give a default: ${NAME:-default}"
            out.problems.append((out.lines[path], f"environment variable {name} is not set", fix))
            return ""
        return default

    return _VARIABLE.sub(fill, text)
