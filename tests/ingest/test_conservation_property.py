"""Whatever a log holds: every row is accounted for, sound ones survive as they were, bad ones say why."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import re
import unicodedata
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.ingest.helpers import contents, ingest, platform, rows

COLUMNS = {"user_id": "u", "item_id": "i", "behavior": "b", "weight": "w", "event_time": "at"}
FORMATS = ["csv", "csv.gz", "jsonl", "jsonl.gz", "parquet"]
LONGEST = 10
CUT = "b\udcff"  # a byte that is not UTF-8; Parquet cannot hold one
IDS = ["u1", "u2", "i1", "i2", "", None, " ", "\u00a0", "u" * 20, "a\tb", "a\nb", "\u00e9", "e\u0301", CUT,
       "u1 ", " u1", 'a"b', "a,b", "\U0001f600"]  # fmt: skip
TIMES = {
    "2024-01-01T00:00:00Z": datetime(2024, 1, 1, tzinfo=UTC),
    "2024-01-01 10:00:00": datetime(2024, 1, 1, 10, tzinfo=UTC),
    "2024-01-02T01:00:00+02:00": datetime(2024, 1, 1, 23, tzinfo=UTC),
    "2024-01-03": datetime(2024, 1, 3, tzinfo=UTC),
    "1970-01-01": datetime(1970, 1, 1, tzinfo=UTC),
    "2030-01-01": datetime(2030, 1, 1, tzinfo=UTC),
}
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2024, 6, 2, tzinfo=UTC)


def mostly(good: list[Any], bad: list[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.sampled_from(good), st.sampled_from(good), st.sampled_from(good + bad))


RECORD = st.fixed_dictionaries(
    {
        "u": mostly(["u1", "u2", "u3"], IDS),
        "i": mostly(["i1", "i2"], IDS),
        "b": mostly(["view", "order"], ["click", None, ""]),
        "w": mostly(["1", "2.5"], ["0", "-1", "nan", "inf", "-inf", "many", None, "1000", "0.5", "1e-50"]),
        "at": mostly(list(TIMES)[:4], [*list(TIMES)[4:], "soon", None]),
    }
)
LINE = st.one_of(RECORD, RECORD, RECORD, RECORD, st.none())  # None: a line that is no row
RULES = st.fixed_dictionaries(
    {},
    optional={
        "patterns": st.sampled_from(
            [{"user_id": "^u"}, {"item_id": "^i[0-9]$"}, {"user_id": "1", "item_id": "i"}]
        ),
        "weight_range": st.sampled_from([{"min": 1}, {"max": 100}, {"min": 0.75, "max": 2.5}]),
    },
)
FILE = st.fixed_dictionaries(
    {"format": st.sampled_from(FORMATS), "rules": RULES, "lines": st.lists(LINE, min_size=1, max_size=14)}
)
DOMAIN = st.fixed_dictionaries(
    {},
    optional={
        "behaviors": st.just({"view": 1.0, "order": 3.0}),
        "max_events_per_user_day": st.integers(1, 3),
    },
)


@settings(
    max_examples=20,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(files=st.lists(FILE, min_size=1, max_size=3), domain=DOMAIN, known=st.integers(0, 2))
def test_every_row_of_a_random_log_is_where_the_oracle_says(tmp_path_factory, files, domain, known):
    folder = tmp_path_factory.mktemp("log")
    sources = [write(folder, n, f) for n, f in enumerate(files)]
    config = platform(folder, sources, ingest={"max_id_length": LONGEST}, **domain)
    ledger = ingest(config, folder / "out")
    taken: set[tuple[Any, ...]] = set()
    events, refused = [], []
    for n, file in enumerate(files):
        lines = [at_rest(line, file["format"]) for line in file["lines"]]
        reasons = oracle(lines, file["rules"], domain)
        kept = []
        for row, (line, broken) in enumerate(zip(lines, reasons, strict=True), start=1):
            if broken:
                refused.append((n, row, broken[0], broken))
            elif (key := (line["u"], line["i"], line["b"], TIMES[line["at"]])) not in taken:
                taken.add(key)
                weight = float(line["w"]) * (domain.get("behaviors") or {}).get(line["b"], 1.0)
                kept.append((n, row, *key, float(np.float32(weight))))
        events += kept
        entry = ledger.files[n]
        quarantined = Counter(r[0] for r in reasons if r)
        assert dict(entry.quarantined) == quarantined
        assert (entry.rows_in, entry.rows_out) == (len(lines), len(kept))
        assert entry.deduplicated == len(lines) - len(kept) - quarantined.total()
    names = ("file", "row", "user_id", "item_id", "behavior", "event_time", "weight")
    assert [tuple(r[k] for k in names) for r in rows(folder / "out" / "events")] == events
    told = [(r["file"], r["row"], r["reason"], r["reasons"]) for r in rows(folder / "out" / "quarantine")]
    assert told == refused
    incremental(folder, config, sources[:known], domain)


def incremental(folder: Path, config: Any, before: list[dict[str, Any]], domain: dict[str, Any]) -> None:
    """Files that come later give, byte for byte, what all files at once give."""
    if not before:
        return
    first = platform(folder, before, ingest={"max_id_length": LONGEST}, **domain)
    ingest(first, folder / "first")
    ingest(config, folder / "second", previous=folder / "first")
    assert contents(folder / "second") == contents(folder / "out")


def write(folder: Path, n: int, file: dict[str, Any]) -> dict[str, Any]:
    """Writes one file and returns its declaration."""
    kind, path = file["format"], folder / f"{n}.{file['format']}"
    lines = file["lines"]
    if kind == "parquet":
        records = [at_rest(line, kind) for line in lines]
        schema = pa.schema([(c, pa.string()) for c in COLUMNS.values()])
        pq.write_table(pa.Table.from_pylist(records, schema=schema), path)
    else:
        text = as_csv(lines) if kind.startswith("csv") else as_json(lines)
        data = text.encode("utf-8", "surrogateescape")
        path.write_bytes(gzip.compress(data) if kind.endswith("gz") else data)
    return {"path": path.name, "columns": COLUMNS, **file["rules"]}


def as_csv(lines: list[dict[str, Any] | None]) -> str:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(COLUMNS.values())
    for line in lines:
        writer.writerow(["no", "row"] if line is None else [line[c] for c in COLUMNS.values()])
    return sink.getvalue()


def as_json(lines: list[dict[str, Any] | None]) -> str:
    return "".join(
        '{"u": "no row\n' if x is None else json.dumps(x, ensure_ascii=False) + "\n" for x in lines
    )


def at_rest(line: dict[str, Any] | None, kind: str) -> dict[str, Any] | None:
    """A line as it is read: Parquet has no broken rows, CSV no empty text, cut text becomes U+FFFD."""
    if line is None:
        return dict.fromkeys(COLUMNS.values()) if kind == "parquet" else None
    empty = None if kind.startswith("csv") else ""
    return {
        k: v.replace("\udcff", "\ufffd") if v else (None if v is None else empty) for k, v in line.items()
    }


def oracle(lines: list[Any], rules: dict[str, Any], domain: dict[str, Any]) -> list[list[str]]:
    """All reasons of every line of a file, one plain Python rule after the other."""
    found = [["malformed_row"] if line is None else own_reasons(line, rules, domain) for line in lines]
    limit = domain.get("max_events_per_user_day")
    if limit is not None:
        days: dict[tuple[str, date], int] = defaultdict(int)
        for line, reasons in zip(lines, found, strict=True):
            if not reasons:
                days[day_of(line)] += 1
        for line, reasons in zip(lines, found, strict=True):
            if line and line["u"] is not None and line["at"] in TIMES and days.get(day_of(line), 0) > limit:
                reasons.append("burst")
    return found


def day_of(line: dict[str, Any]) -> tuple[str, date]:
    return line["u"], TIMES[line["at"]].date()


def own_reasons(line: dict[str, Any], rules: dict[str, Any], domain: dict[str, Any]) -> list[str]:
    found = []
    ids = {"user": line["u"], "item": line["i"]}
    found += [f"null_{who}" for who, value in ids.items() if not (value or "").strip()]
    found += [f"long_{who}" for who, value in ids.items() if len(value or "") > LONGEST]
    if any(c == "\ufffd" or unicodedata.category(c) == "Cc" for v in ids.values() for c in v or ""):
        found.append("bad_encoding")
    for who, value in ids.items():
        pattern = rules.get("patterns", {}).get(f"{who}_id")
        if pattern and value is not None and not re.search(pattern, value):
            found.append(f"{who}_pattern")
    allowed = domain.get("behaviors") or {"view", "order", "click"}
    if line["b"] not in allowed:
        found.append("unknown_behavior")
    weight = {None: None, "many": None}.get(line["w"], line["w"])
    number = None if weight is None else float(weight)
    if number is None or not math.isfinite(number) or number < 1e-38:
        found.append("bad_weight")
    bounds = rules.get("weight_range", {})
    if number is not None and (
        number < bounds.get("min", -math.inf) or ("max" in bounds and not number <= bounds["max"])
    ):
        found.append("weight_range")
    moment = TIMES.get(line["at"])
    if moment is None:
        found.append("bad_time")
    elif not EARLIEST <= moment <= LATEST:
        found.append("early_time" if moment < EARLIEST else "future_time")
    return found
