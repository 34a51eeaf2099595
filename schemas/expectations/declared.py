"""The expectations of a domain: our suites, the bounds of domains.yaml, and users' own suites."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hier_dag.config import PlatformConfig
from hier_dag.config.expectations import Bound
from hier_dag.errors import ConfigError

SUITES = Path(__file__).parent / "suites"
_LEVELS = {"warn": "warning", "block": "critical"}


@dataclass(frozen=True)
class Expectation:
    """One expectation, in great-expectations' terms.

    Attributes:
        name: what domains.yaml calls it; for one of a user's suite its meta's `name`, else suite and place.
        suite: the suite that it stands in.
        type: great-expectations' type, such as expect_column_max_to_be_between.
        kwargs: its arguments; `column` names the metric.
        severity: critical blocks, any other warns.
        says: what the metric is, in words.
        remedy: what may be wrong with the data where it fails.
    """

    name: str
    suite: str
    type: str
    kwargs: dict[str, Any]
    severity: str = "critical"
    says: str = ""
    remedy: str = ""
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def metric(self) -> str:
        """The metric that it is asked of."""
        return str(self.kwargs["column"])

    @property
    def blocks(self) -> bool:
        """Whether nothing is committed where it fails."""
        return self.severity == "critical"

    @property
    def bound(self) -> str:
        """What is expected, in words."""
        least, most = self.kwargs.get("min_value"), self.kwargs.get("max_value")
        words = [
            f"{word} {value:g}"
            for word, value in (("at least", least), ("at most", most))
            if isinstance(value, int | float)
        ]
        return " and ".join(words) or self.type.replace("_", " ")


def declared(config: PlatformConfig, domain: str) -> list[Expectation]:
    """Every expectation of a domain that is not skipped.

    Raises:
        ConfigError: when a suite of the user's cannot be read, or asks for a metric that there is not.
    """
    whole, own = config.stages.expectations, config.domains[domain].expectations
    bounds = {**whole.bounds, **own.bounds}
    found = [bounded(e, bounds[e.name]) if e.name in bounds else e for e in shipped()]
    theirs = (e for path in (*whole.suites, *own.suites) for e in _users(config.data_dir() / path))
    return [*(e for e in found if e is not None), *theirs]


def bounded(expectation: Expectation, bound: Bound) -> Expectation | None:
    """An expectation with what domains.yaml says of it; None where it is to be skipped."""
    given = bound.declared
    if given.get("level") == "skip":
        return None
    kwargs = expectation.kwargs | {f"{k}_value": given[k] for k in ("min", "max") if k in given}
    severity = _LEVELS.get(str(given.get("level")), expectation.severity)
    return Expectation(
        **{**vars(expectation), "kwargs": {k: v for k, v in kwargs.items() if v is not None}}
        | {"severity": severity}
    )


@cache
def shipped() -> tuple[Expectation, ...]:
    """The expectations of `suites/`, with their defaults."""
    files = sorted(SUITES.glob("*.yaml"))
    return tuple(e for f in files for e in _of_suite(yaml.safe_load(f.read_text(encoding="utf-8"))))


def metrics() -> tuple[str, ...]:
    """Every metric there is: each has an expectation."""
    return tuple(dict.fromkeys(e.metric for e in shipped()))


def _of_suite(suite: dict[str, Any]) -> Iterator[Expectation]:
    for number, entry in enumerate(suite["expectations"], start=1):
        kwargs, meta = dict(entry["kwargs"]), dict(entry.get("meta") or {})
        if "column" not in kwargs:
            raise ValueError(f"expectation {number} names no metric under kwargs.column")
        yield Expectation(
            name=str(meta.pop("name", None) or f"{suite['name']}.{number}"),
            suite=str(suite["name"]),
            type=str(entry["type"]),
            kwargs=kwargs,
            severity=str(entry.get("severity") or "critical"),
            says=str(entry.get("description") or ""),
            remedy=str(meta.pop("remedy", "")),
            meta=meta,
        )


def _users(path: Path) -> list[Expectation]:
    """A suite of the user's, as great-expectations writes one."""
    try:
        found = list(_of_suite(json.loads(path.read_text(encoding="utf-8"))))
    except OSError as e:
        raise _unusable(path, f"cannot be read: {e.strerror or e}") from e
    except (ValueError, LookupError, TypeError) as e:
        raise _unusable(path, f"is no suite of great-expectations' JSON: {type(e).__name__} {e}") from e
    _known(path, found)
    return found


def _known(path: Path, found: Iterable[Expectation]) -> None:
    for expectation in found:
        if expectation.metric not in metrics():
            close = difflib.get_close_matches(expectation.metric, metrics(), n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(metrics())}"
            raise _unusable(path, f"asks for the metric {expectation.metric!r}, which there is not; {hint}")


def _unusable(path: Path, problem: str) -> ConfigError:
    return ConfigError(
        f"a suite of `expectations.suites` {problem}.",
        file=str(path),
        fix="mend the suite, or take it out of domains.yaml; docs/domains_yaml.md lists the metrics",
    )
