"""The coverage contract: everybody active has a vector, enough of them are learnt, and norms are plausible.

What each row must be (ids unique, vectors finite and not zero, origins known) is `schemas/embeddings.py`;
this is about a set as a whole, and about who is missing from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hier_dag.errors import StoreError
from hier_dag.publish.coverage_params import CoverageParams

Ids: TypeAlias = pa.Array | NDArray[np.object_]

_EXAMPLES = 3
_MEMORY = "256MB"
_KEYS = {"users": "user_id", "items": "item_id"}


@dataclass(frozen=True)
class CoverageFailure:
    """One thing that a set does not cover.

    Attributes:
        domain: the target.
        side: `users` or `items`.
        what: what was looked at, such as `active ids without a vector`.
        figure: how much of it there is; None where it is not a number.
        bound: in words, such as `at most 0`.
        fix: what to do about it.
        examples: a few of the ids.
    """

    domain: str
    side: str
    what: str
    figure: float | None
    bound: str
    fix: str
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        figure = "no number" if self.figure is None else f"{self.figure:.9g}"
        shown = f" (for example {', '.join(self.examples)})" if self.examples else ""
        return (
            f"domain {self.domain}, {self.side}: {self.what}: {figure}, must be {self.bound}{shown}. "
            f"Fix: {self.fix}"
        )

    def as_dict(self) -> dict[str, Any]:
        """The failure as a JSON-serialisable record."""
        return asdict(self) | {"examples": list(self.examples), "message": str(self)}


@dataclass(frozen=True)
class Coverage:
    """What a set covers.

    Attributes:
        facts: for `users` and `items`: `rows`; `active`, ids that must have a vector; `missing`, those that
            have none, and a few `missing_ids`; rows by origin (`origins`) and their `shares`; lowest and
            highest finite norm (`norm_min`, `norm_max`), and rows whose norm is out of bounds
            (`norms_outside`). JSON-serialisable.
        failures: what breaks the contract; empty where it holds.
    """

    facts: dict[str, dict[str, Any]]
    failures: tuple[CoverageFailure, ...]


def check_coverage(
    domain: str,
    users: pa.Table | Path,
    items: pa.Table | Path,
    active_users: Ids,
    active_items: Ids,
    params: CoverageParams,
) -> Coverage:
    """Checks that a set covers its domain.

    Args:
        domain: the target.
        users: user_id, origin and norm: a table, or `users.parquet` of a set, whose vectors are not read.
        items: item_id, origin and norm.
        active_users: ids that must have a vector: users with any interaction in the domain, and its audience.
        active_items: ids of its catalogue.
        params: declared bounds.

    Raises:
        StoreError: a file is not what its name says.
    """
    facts = {"users": _counts("users", users, active_users, params.norms.users)}
    facts["items"] = _counts("items", items, active_items, params.norms.items)
    failures = [f for side in facts for f in _failures(domain, side, facts[side], params)]
    fallback = facts["users"]["shares"].get("fallback", 0.0)
    if fallback > params.max_fallback:
        failures.append(
            CoverageFailure(
                domain, "users", "share of fallback vectors", fallback, f"at most {params.max_fallback:g}",
                "deliver logs of the sources that these users are known in, or raise "
                "stages.publish.coverage.max_fallback",
            )
        )  # fmt: skip
    return Coverage(facts, tuple(failures))


def _failures(
    domain: str, side: str, facts: dict[str, Any], params: CoverageParams
) -> Iterator[CoverageFailure]:
    if facts["missing"]:
        yield CoverageFailure(
            domain, side, "active ids without a vector", facts["missing"], "0",
            "run the transfer stage of this domain again: its model is of an older graph",
            tuple(facts["missing_ids"]),
        )  # fmt: skip
    for origin, least in getattr(params.min_share, side).items():
        share = facts["shares"].get(origin, 0.0)
        if share < least:
            yield CoverageFailure(
                domain, side, f"share of {origin} vectors", share, f"at least {least:g}",
                f"deliver more interactions or links of these {side}, or lower "
                f"stages.publish.coverage.min_share.{side}.{origin}",
            )  # fmt: skip
    if facts["norms_outside"]:
        bounds = getattr(params.norms, side)
        within = f"between {bounds[0]:g} and {bounds[1]:g}" if bounds else "finite and above 0"
        extremes = [n for n in (facts["norm_min"], facts["norm_max"]) if n is not None]
        low, high = bounds or (0.0, float("inf"))
        worst = max(extremes, key=lambda n: max(low - n, n - high), default=None)
        yield CoverageFailure(
            domain, side, f"norm of {facts['norms_outside']:,} vectors, the furthest", worst, within,
            "look at the curves of the encoder and of the head, or widen "
            f"stages.publish.coverage.norms.{side}",
        )  # fmt: skip


def _bounded(rows: pa.Table | Path) -> dict[str, str | bool | int | float | list[str]]:
    """Settings of DuckDB: memory has a bound, and what is beyond it goes beside the file while it is open."""
    settings: dict[str, str | bool | int | float | list[str]] = {"memory_limit": _MEMORY, "threads": 2}
    return settings | {"temp_directory": str(rows.parent / ".spill")} if isinstance(rows, Path) else settings


def _counts(
    side: str, rows: pa.Table | Path, active: Ids, bounds: tuple[float, float] | None
) -> dict[str, Any]:
    """Counts of one side, taken in DuckDB: only ids, origins and norms are read."""
    key, file = _KEYS[side], str(rows)
    fits = "norm BETWEEN $low AND $high" if bounds else "norm > 0"
    given = {"low": bounds[0], "high": bounds[1]} if bounds else {}
    with duckdb.connect(config=_bounded(rows)) as con:
        con.register("wanted", pa.table({"id": active}))
        try:
            found = con.read_parquet(file) if isinstance(rows, Path) else con.from_arrow(rows)
            found.project(f"{key}::VARCHAR AS id, origin::VARCHAR AS origin, norm").create_view("made")
            con.execute(
                f"""SELECT count(*) AS rows, min(norm) FILTER (isfinite(norm)) AS norm_min,
                    max(norm) FILTER (isfinite(norm)) AS norm_max,
                    count(*) FILTER (NOT coalesce(isfinite(norm) AND {fits}, false)) AS norms_outside
                    FROM made""",
                given,
            )
            facts = dict(zip([c[0] for c in con.description or ()], con.fetchone() or (), strict=True))
            origins = con.execute("SELECT origin, count(*) FROM made GROUP BY 1 ORDER BY 1").fetchall()
            con.execute(
                "CREATE TEMP TABLE missing AS SELECT DISTINCT id FROM wanted ANTI JOIN made USING (id)"
            )
            missing = con.execute(
                "SELECT id, count(*) OVER () FROM missing ORDER BY id LIMIT $few", {"few": _EXAMPLES}
            ).fetchall()
        except duckdb.Error as error:
            raise StoreError(
                f"the {side} of a set cannot be counted: {str(error).splitlines()[0][:200]}",
                file=file if isinstance(rows, Path) else None,
                fix="run the pipeline again: the artifact is rebuilt from its recorded inputs",
            ) from error
        facts["active"] = con.sql("SELECT count(DISTINCT id) FROM wanted").fetchall()[0][0]
    facts |= {"missing": missing[0][1] if missing else 0, "missing_ids": [row[0] for row in missing]}
    total = max(1, facts["rows"])
    return facts | {"origins": dict(origins), "shares": {name: count / total for name, count in origins}}
