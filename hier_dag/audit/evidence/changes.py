"""What differs between a version and the one before: data, code, parameters, environment, figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hier_dag.audit.evidence.made_of import Made
from hier_dag.pipeline.stages import EVENTS, LINKS

Known = Mapping[str, Any]
_MISSING = object()


def changes(now: Sequence[Made], before: Sequence[Made]) -> dict[str, Any]:
    """Differences by name; each is `{"before": …, "after": …}`, null where there was or is none.

    Args:
        now: what the version was made of.
        before: what the one before it was made of.

    Returns:
        data (raw files, by artifact and location: digest), code (by artifact: version and commit), params
        (by artifact and key), seeds (by artifact), artifacts (by title: digest).
    """
    return {
        "artifacts": _differences(_artifacts(before), _artifacts(now)),
        "data": _differences(_data(before), _data(now)),
        "code": _differences(_code(before), _code(now)),
        "params": _differences(_params(before), _params(now)),
        "seeds": _differences(_seeds(before), _seeds(now)),
    }


def environment_changes(now: Known | None, before: Known | None) -> dict[str, Any]:
    """Differences between two environments: Python, machine, system, and each distribution's version."""
    return _differences(_flat_environment(before), _flat_environment(now))


def figure_changes(now: Sequence[Known], before: Sequence[Known]) -> dict[str, Any]:
    """HIER's figures of all users that moved, by metric, cutoff and setting.

    Args:
        now: records of the report card.
        before: those of the version before.
    """
    return _differences(_hier(before), _hier(now))


def _differences(before: Known, after: Known) -> dict[str, Any]:
    moved = (k for k in sorted({*before, *after}) if before.get(k, _MISSING) != after.get(k, _MISSING))
    return {key: {"before": before.get(key), "after": after.get(key)} for key in moved}


def _artifacts(made: Sequence[Made]) -> Known:
    return {one.title: one.row.digest for one in made}


def _data(made: Sequence[Made]) -> Known:
    read = (one for one in made if one.row.kind in (EVENTS, LINKS))
    return {f"{one.title}: {f['location']}": f["sha256"] for one in read for f in one.row.manifest["inputs"]}


def _code(made: Sequence[Made]) -> Known:
    return {one.title: f"{one.row.code_version} at {one.row.code_commit}" for one in made}


def _params(made: Sequence[Made]) -> Known:
    return dict(pair for one in made for pair in _flat(one.title, one.row.manifest["params"]))


def _seeds(made: Sequence[Made]) -> Known:
    return {one.title: one.row.manifest["seeds"] for one in made if one.row.manifest["seeds"]}


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Leaves of nested parameters by their path."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(f"{name} · {key}", inner)
    else:
        yield name, value


def _flat_environment(told: Known | None) -> Known:
    if told is None:
        return {}
    installed = dict(d.partition("==")[::2] for d in told.get("distributions", ()))
    return {**{k: v for k, v in told.items() if k != "distributions"}, **installed}


def _hier(records: Sequence[Known]) -> Known:
    return {
        f"{r['metric']}@{r['k']}, {r['shots']}": r["value"]
        for r in records
        if r["model"] == "hier" and r["slice"] == "all" and r["metric"] in ("ndcg", "hr")
    }
