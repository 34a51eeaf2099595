"""Loads domains.yaml and reports every mistake at once, each with its line and its fix."""

from __future__ import annotations

import difflib
import glob
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hier_dag.config.models import GlobalTimeSplit, PerUserOrderSplit, PlatformConfig, TableSource
from hier_dag.config.yaml_lines import Located, parse
from hier_dag.errors import ConfigError


@dataclass(frozen=True)
class Issue:
    """One mistake in domains.yaml: where it is, what it is, how to mend it."""

    line: int
    where: str
    message: str
    fix: str


def load_config(path: str | Path, *, check_files: bool = False) -> PlatformConfig:
    """Loads a domains.yaml.

    Args:
        path: the file.
        check_files: also demand that every declared file exists.

    Raises:
        ConfigError: naming every mistake, with line and fix.
    """
    config, issues = check_config(path, check_files=check_files)
    if config is None or issues:
        listed = "\n".join(f"  line {i.line}: {i.where}: {i.message} Fix: {i.fix}" for i in issues)
        raise ConfigError(
            f"{len(issues)} mistake(s):\n{listed}",
            file=str(path),
            fix=f"mend the lines named, then run: hier check {path}",
            detail={"issues": [vars(i) for i in issues]},
        )
    return config


def check_config(path: str | Path, *, check_files: bool = True) -> tuple[PlatformConfig | None, list[Issue]]:
    """Checks a domains.yaml without raising.

    Returns:
        The configuration (None where it cannot be typed) and all mistakes, by line.
    """
    path = Path(path)
    try:
        document = parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None, [Issue(0, str(path), "there is no such file", "give the path of a domains.yaml")]
    except UnicodeDecodeError as e:
        return None, [Issue(0, str(path), f"not UTF-8: {e.reason}", "save the file as UTF-8")]
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        return None, [Issue(line, "YAML", str(getattr(e, "problem", e)), "mend the YAML syntax")]
    issues = [Issue(line, "YAML", message, _yaml_fix(message)) for line, message in document.problems]
    _resolve_data(document, path)
    config: PlatformConfig | None = None
    try:
        config = PlatformConfig.model_validate(document.value)
    except ValidationError as e:
        issues += [_issue(document, error) for error in e.errors()]
    if config is not None:
        issues += _orderless(config, document)
    if config is not None and check_files:
        issues += _missing_files(config, document)
    return (config if not issues else None), sorted(issues, key=lambda i: i.line)


def _yaml_fix(message: str) -> str:
    if "declared twice" in message:
        return "keep one of them: a domain is a source or a target, never both"
    return "export it, or give a default: ${NAME:-default}"


def _resolve_data(document: Located, path: Path) -> None:
    """Makes `data` absolute: from the working directory where the environment gave it, else from the file."""
    if not isinstance(document.value, dict):
        return
    data = document.value.get("data", ".")
    if isinstance(data, str):
        base = Path.cwd() if document.variables.get(("data",)) else path.resolve().parent
        document.value["data"] = str((base / Path(data).expanduser()).resolve())


def _issue(document: Located, error: ErrorDetails) -> Issue:
    # pydantic names union branches inside `loc`; only what the document has is a place for a person.
    loc: list[str | int] = []
    for part in error["loc"]:
        if tuple([*loc, part]) in document.lines or error["type"] in ("missing", "extra_forbidden"):
            loc.append(part)
    where = ".".join(map(str, loc)) or "document"
    message = error["msg"].removeprefix("Value error, ")
    return Issue(document.line_of(tuple(loc)), where, message.rstrip(".") + ".", _fix(error, loc))


def _fix(error: ErrorDetails, loc: list[str | int]) -> str:
    if error["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        close = difflib.get_close_matches(str(loc[-1]), _all_keys(), n=1)
        return f"did you mean {close[0]!r}?" if close else "remove it, or see docs/domains_yaml.md"
    if error["type"] in ("missing", "missing_argument"):
        return f"add {loc[-1]!r}"
    return "see docs/domains_yaml.md"


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


def resolve_files(config: PlatformConfig, source: TableSource) -> list[Path]:
    """The files of a `path` source, sorted by name; empty where nothing matches."""
    assert source.path is not None
    pattern = str(config.data_dir() / Path(source.path).expanduser())
    if any(ch in source.path for ch in "*?["):
        return [Path(p) for p in sorted(glob.glob(pattern, recursive=True)) if Path(p).is_file()]
    return [Path(pattern)] if Path(pattern).is_file() else []


def _orderless(config: PlatformConfig, document: Located) -> list[Issue]:
    """Splits that need a time or an order which a source of the domain does not map."""
    issues = []
    for name, domain in config.domains.items():
        split = config.split_of(name)
        for number, source in enumerate(domain.sources):
            mapped = source.columns
            if isinstance(split, GlobalTimeSplit):
                lacks, fix = mapped.event_time is None, "map columns.event_time"
            elif isinstance(split, PerUserOrderSplit):
                lacks = mapped.event_time is None and mapped.position is None
                fix = "map columns.event_time or columns.position"
            else:
                continue
            if lacks:
                place = ("domains", name, "sources", number)
                where = ".".join(map(str, place))
                message = f"its split is {split.kind}, which this source has no column for."
                issues.append(
                    Issue(document.line_of(place), where, message, f"{fix}, or split by seeded_hash")
                )
    return issues


def sqlite_file(config: PlatformConfig, source: TableSource) -> Path | None:
    """The database file of a SQLite source (relative URLs start from `data`), None for any other source."""
    if source.sql is None:
        return None
    url = make_url(source.sql)
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return config.data_dir() / str(url.database)


def _missing_files(config: PlatformConfig, document: Located) -> list[Issue]:
    places: list[tuple[tuple[str | int, ...], TableSource]] = []
    for name, domain in config.domains.items():
        places += [(("domains", name, "sources", i), s) for i, s in enumerate(domain.sources)]
        places += [(("domains", name, "catalogue", i), s) for i, s in enumerate(domain.catalogue)]
    links: BaseModel = config.links
    for kind in type(links).model_fields:
        places += [(("links", kind, i), s) for i, s in enumerate(getattr(links, kind))]
    issues = []
    for place, source in places:
        problem = _file_problem(config, source)
        if problem is not None:
            issues.append(Issue(document.line_of(place), ".".join(map(str, place)), *problem))
    return issues


def _file_problem(config: PlatformConfig, source: TableSource) -> tuple[str, str] | None:
    if source.path is not None:
        if resolve_files(config, source):
            return None
        return (
            f"no file matches {config.data_dir() / source.path}.",
            "correct the path, or set `data` (HIER_DATA) to the folder that holds the logs",
        )
    assert source.sql is not None
    try:
        make_url(source.sql)
    except ArgumentError:
        return "not a SQLAlchemy URL.", "write it as dialect://user:password@host/database"
    file = sqlite_file(config, source)
    if file is None or file.is_file():
        return None
    return f"no SQLite file {file}.", "correct the URL (sqlite:///relative/to/data.sqlite)"
