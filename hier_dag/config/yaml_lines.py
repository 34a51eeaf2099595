"""YAML with the line of every key, duplicate keys refused, environment variables filled in."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]
_PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


@dataclass
class Located:
    """A parsed document.

    Attributes:
        value: plain Python values (safe constructors only: a tag such as !!python/object is refused).
        lines: 1-based line of each path.
        problems: (line, message) of duplicate keys and unset variables.
        variables: names of the environment variables that were set and used, per path.
    """

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)
    variables: dict[Path, set[str]] = field(default_factory=dict)

    def line_of(self, path: Path) -> int:
        """Line of a path, or of its nearest located ancestor."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse(text: str) -> Located:
    """Parses one YAML document.

    Raises:
        yaml.YAMLError: on a syntax error or an unsafe tag.
    """
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        out = Located()
        out.value = None if node is None else _convert(loader, node, (), out)
        return out
    finally:
        loader.dispose()


def _convert(loader: yaml.SafeLoader, node: yaml.Node, path: Path, out: Located) -> Any:
    out.lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.CollectionNode) and node.tag not in _PLAIN_TAGS:
        raise yaml.constructor.ConstructorError(
            None, None, f"the tag {node.tag!r} is not allowed: plain values only", node.start_mark
        )
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        value: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)  # type: ignore[no-untyped-call]
            line = key_node.start_mark.line + 1
            if key in value:
                first = out.lines[(*path, key)]
                out.problems.append((line, f"key {key!r} is declared twice (first on line {first})"))
                continue
            value[key] = _convert(loader, value_node, (*path, key), out)
            out.lines[(*path, key)] = line
        return value
    if isinstance(node, yaml.SequenceNode):
        return [_convert(loader, child, (*path, i), out) for i, child in enumerate(node.value)]
    value = loader.construct_object(node, deep=True)  # type: ignore[no-untyped-call]
    return _expand(value, path, out) if isinstance(value, str) else value


def _expand(text: str, path: Path, out: Located) -> str:
    def fill(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        if name in os.environ:
            out.variables.setdefault(path, set()).add(name)
            return os.environ[name]
        if default is None:
            out.problems.append((out.lines[path], f"environment variable {name} is not set"))
            return ""
        return default

    return _VARIABLE.sub(fill, text)
