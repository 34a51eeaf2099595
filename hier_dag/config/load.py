"""Loads domains.yaml and reports every mistake at once, each with its line and its fix."""

from __future__ import annotations

import contextlib
import glob
import os
from collections.abc import Iterator
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError
from sqlalchemy.engine import make_url

from hier_dag.config.database_url import source_url_problem
from hier_dag.config.issues import Issue, issues_of
from hier_dag.config.models import PlatformConfig
from hier_dag.config.shapes_file import check_shapes
from hier_dag.config.sources import TableSource
from hier_dag.config.splits import GlobalTimeSplit, PerUserOrderSplit
from hier_dag.config.yaml_lines import Located, parse
from hier_dag.errors import ConfigError

LARGEST = 1 << 20
"""Bytes of a domains.yaml. One of a thousand domains has about 300 kB."""


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
        document = parse(_read(path))
    except FileNotFoundError:
        return None, [Issue(0, str(path), "there is no such file", "give the path of a domains.yaml")]
    except OSError as e:
        reason = f"cannot be read: {e.strerror or e}"
        return None, [Issue(0, str(path), reason, "give the path of a domains.yaml that you may read")]
    except UnicodeDecodeError as e:
        return None, [Issue(0, str(path), f"not UTF-8: {e.reason}", "save the file as UTF-8")]
    except _TooLarge:
        reason = f"larger than {LARGEST >> 20} MiB, which no declaration is"
        return None, [Issue(0, str(path), reason, "give the path of a domains.yaml, not of a log")]
    except RecursionError:
        return None, [Issue(1, "YAML", "nested too deeply", "write it flatter; see docs/domains_yaml.md")]
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        return None, [Issue(line, "YAML", str(getattr(e, "problem", e)), "mend the YAML syntax")]
    _resolve_data(document, path)
    shapes = _resolve_shapes(document, path)
    issues = [Issue(line, "YAML", message, fix) for line, message, fix in document.problems]
    config: PlatformConfig | None = None
    try:
        config = PlatformConfig.model_validate(document.value)
    except ValidationError as e:
        issues += issues_of(document, e)
    if config is not None:
        issues += _orderless(config, document)
        issues += _unusable_sources(config, document, check_files)
        issues += _missing_suites(config, document) if check_files else []
        issues += _shape_mistakes(config, document, shapes)
    return (config if not issues else None), sorted(issues, key=lambda i: i.line)


class _TooLarge(Exception):
    """The file is larger than a declaration can be."""


def _read(path: Path) -> str:
    # No more than the limit is read, whatever the file is: a device or a pipe may never end.
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise _TooLarge
    return data.decode("utf-8")


def _resolve_data(document: Located, path: Path) -> None:
    """Makes `data` absolute: from the working directory where the environment gave it, else from the file."""
    if not isinstance(document.value, dict):
        return
    data = document.value.get("data", ".")
    if isinstance(data, str):
        base = Path.cwd() if document.variables.get(("data",)) else path.resolve().parent
        try:
            document.value["data"] = str((base / os.path.expanduser(data)).resolve())
        except ValueError as e:  # a NUL character
            line = document.line_of(("data",))
            document.problems.append((line, f"data is no path: {e}", "name the folder that holds the logs"))
            document.value["data"] = str(base)


def resolve_files(config: PlatformConfig, source: TableSource) -> list[Path]:
    """The files of a `path` source, sorted by name; empty where nothing matches.

    A file that is called exactly so is meant by itself, even where its name reads as a glob.
    """
    assert source.path is not None
    folder, given = config.data_dir(), os.path.expanduser(source.path)
    if os.path.isfile(folder / given):
        return [folder / given]
    if not glob.has_magic(given):
        return []
    # Below root_dir, so that special characters in the folder's own name are no part of the pattern.
    found = sorted(glob.glob(given, root_dir=folder, recursive=True))
    return [folder / name for name in found if os.path.isfile(folder / name)]


_SHAPES = ("stages", "graph", "shapes")


def _resolve_shapes(document: Located, path: Path) -> str | None:
    """Makes `stages.graph.shapes` absolute, from the folder of domains.yaml; gives what was written."""
    part: object = document.value
    for key in _SHAPES[:-1]:
        part = part.get(key) if isinstance(part, dict) else None
    written = part.get(_SHAPES[-1]) if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(written, str):
        return None
    with contextlib.suppress(ValueError):  # a NUL character: no such file, as is said later
        part[_SHAPES[-1]] = str((path.resolve().parent / written).resolve())
    return written


def _shape_mistakes(config: PlatformConfig, document: Located, written: str | None) -> list[Issue]:
    """Every mistake of the file of further shapes, at the line that names the file."""
    file = config.stages.graph.shapes
    if file is None or written is None:
        return []
    line, where = document.line_of(_SHAPES), ".".join(_SHAPES)
    if Path(written).is_absolute() or ".." in Path(written).parts:
        message = f"{written!r} may lead out of the folder of domains.yaml."
        return [Issue(line, where, message, "put the file of shapes beside domains.yaml or below it")]
    _, mistakes = check_shapes(Path(file), config.domains)
    return [Issue(line, where, message, fix) for message, fix in mistakes]


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


def _missing_suites(config: PlatformConfig, document: Located) -> list[Issue]:
    """Suites of expectations that are no file."""
    declared: list[tuple[tuple[str | int, ...], tuple[str, ...]]] = [
        (("stages", "expectations", "suites"), config.stages.expectations.suites),
        *(
            (("domains", name, "expectations", "suites"), domain.expectations.suites)
            for name, domain in config.domains.items()
        ),
    ]
    return [
        Issue(
            document.line_of(place),
            ".".join(map(str, place)),
            f"no suite {config.data_dir() / path}.",
            "correct the path, relative to `data`",
        )
        for place, paths in declared
        for path in paths
        if not os.path.isfile(config.data_dir() / path)
    ]


def sqlite_file(config: PlatformConfig, source: TableSource) -> Path | None:
    """The database file of a SQLite source (relative URLs start from `data`), None for any other source."""
    if source.sql is None:
        return None
    url = make_url(source.sql)
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return config.data_dir() / str(url.database)


def _unusable_sources(config: PlatformConfig, document: Located, check_files: bool) -> list[Issue]:
    """Sources with a URL that no database can be reached by, or (where asked) with no file."""
    issues = []
    for place, source in _placed_sources(config):
        problem = source_url_problem(source.sql) if source.sql is not None else None
        if problem is None and check_files:
            problem = _file_problem(config, source)
        if problem is not None:
            issues.append(Issue(document.line_of(place), ".".join(map(str, place)), *problem))
    return issues


def _placed_sources(config: PlatformConfig) -> Iterator[tuple[tuple[str | int, ...], TableSource]]:
    for name, domain in config.domains.items():
        yield from ((("domains", name, "sources", i), s) for i, s in enumerate(domain.sources))
        yield from ((("domains", name, "catalogue", i), s) for i, s in enumerate(domain.catalogue))
    links: BaseModel = config.links
    for kind in type(links).model_fields:
        yield from ((("links", kind, i), s) for i, s in enumerate(getattr(links, kind)))


def _file_problem(config: PlatformConfig, source: TableSource) -> tuple[str, str] | None:
    if source.path is not None:
        if resolve_files(config, source):
            return None
        return (
            f"no file matches {config.data_dir() / source.path}.",
            "correct the path, or set `data` (HIER_DATA) to the folder that holds the logs",
        )
    file = sqlite_file(config, source)
    if file is None or os.path.isfile(file):
        return None
    return f"no SQLite file {file}.", "correct the URL (sqlite:///relative/to/data.sqlite)"
