"""Every value rule catches what it should and nothing else; rows are conserved whatever comes."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hier_dag.errors import ConfigError, ContractError
from hier_dag.ingest.reasons import REASONS
from tests.ingest.helpers import NOW, ingest, platform, refused, rows, write

COLUMNS = {"behavior": "behavior", "weight": "w", "event_time": "at", "position": "n"}
GOOD = {"user_id": "u", "item_id": "i", "behavior": "view", "w": "1", "at": "2024-05-01T10:00:00Z", "n": "1"}
BROKEN = [
    ({"user_id": ""}, "null_user", "user_id"),
    ({"item_id": None}, "null_item", "item_id"),
    ({"user_id": "x" * 300}, "long_user", "user_id"),
    ({"item_id": "x" * 300}, "long_item", "item_id"),
    ({"user_id": "a\tb"}, "bad_encoding", "user_id"),
    ({"item_id": "caf\ufffd"}, "bad_encoding", "item_id"),
    ({"behavior": "click"}, "unknown_behavior", "behavior"),
    ({"behavior": None}, "unknown_behavior", "behavior"),
    *(({"w": w}, "bad_weight", "w") for w in ("0", "-1", "nan", "inf", "much", None, "1e300", "1e-300")),
    *(({"at": t}, "bad_time", "at") for t in ("yesterday", None, "2024-13-01", "1717200000")),
    *(({"at": t}, "future_time", "at") for t in ("infinity", "29000-01-01", "2024-06-02T00:00:01Z")),
    *(({"at": t}, "early_time", "at") for t in ("-infinity", "0044-03-15 (BC)", "1970-01-01T00:00:00Z")),
    *(({"n": n}, "bad_position", "n") for n in ("1.5", "first", None, "99999999999999999999")),
    ({"user_id": "", "w": "nan", "at": None}, "null_user", "user_id"),
]


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl", "log.parquet"])
def test_every_rule_names_its_reason_and_column(tmp_path, name):
    write(tmp_path / name, [GOOD, *({**GOOD, **change} for change, _, _ in BROKEN)])
    config = platform(tmp_path, {"path": name, "columns": COLUMNS}, behaviors={"view": 1.0})
    ledger = ingest(config, tmp_path / "out")
    assert refused(tmp_path / "out") == [(i, reason, c) for i, (_, reason, c) in enumerate(BROKEN, start=2)]
    assert ledger.rows_out == 1
    raw = json.loads(rows(tmp_path / "out" / "quarantine")[10]["raw"])
    assert raw == {**GOOD, "w": "nan"}


def test_edge_values_that_are_valid_stay(tmp_path):
    changes = [{"at": "2024-06-02T00:00:00Z"}, {"at": "2000-01-01"}, {"at": "2024-05-01 12:00:00+02:00"},
               {"n": "-3"}, {"n": "2.0"}, {"w": "1e-30"}, {"user_id": " u "}]  # fmt: skip
    write(tmp_path / "log.csv", [{**GOOD, **c} for c in changes])
    config = platform(tmp_path, {"path": "log.csv", "columns": COLUMNS})
    ledger = ingest(config, tmp_path / "out")
    assert ledger.quarantined == {}
    assert ledger.deduplicated == 1, (
        "12:00+02:00 is 10:00Z with another weight: the same event as the 1e-30 one"
    )


@pytest.mark.parametrize(
    ("unit", "value"), [("s", "1714557600.5"), ("ms", "1714557600500"), ("us", "1714557600500000")]
)
def test_epoch_units_are_exact(tmp_path, unit, value):
    write(tmp_path / "log.csv", [{"user_id": "u", "item_id": "i", "at": value}])
    config = platform(tmp_path, {"path": "log.csv", "columns": {"event_time": "at"}, "time_unit": unit})
    ingest(config, tmp_path / "out")
    assert (
        rows(tmp_path / "out" / "events")[0]["event_time"].isoformat() == "2024-05-01T10:00:00.500000+00:00"
    )


@pytest.mark.parametrize("at", [1714557600500, 1714557600500000, 10**30])
def test_a_changed_unit_is_caught(tmp_path, at):
    write(tmp_path / "log.csv", [{"user_id": "u", "item_id": "i", "at": at}])
    config = platform(tmp_path, {"path": "log.csv", "columns": {"event_time": "at"}, "time_unit": "s"})
    assert ingest(config, tmp_path / "out").quarantined == {"future_time": 1}


def test_a_behaviour_that_the_domain_does_not_allow_is_a_configuration_error(tmp_path):
    write(tmp_path / "log.csv", [{"user_id": "u", "item_id": "i"}])
    config = platform(tmp_path, {"path": "log.csv", "behavior": "clik"}, behaviors={"click": 1.0})
    with pytest.raises(ConfigError, match="clik"):
        ingest(config, tmp_path / "out")


value = st.sampled_from(["u1", "u2", "", None, "x" * 20, "a\tb", "é", "e\u0301"])
record = st.fixed_dictionaries(
    {
        "user_id": value,
        "item_id": value,
        "w": st.sampled_from(["1", "2", "0", "nan", None]),
        "at": st.sampled_from(["2024-01-01", "1969-01-01", "2030-01-01", None, "soon"]),
    }
)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=st.lists(st.lists(record, min_size=1, max_size=12), min_size=1, max_size=3))
def test_rows_are_conserved_and_the_first_of_equal_events_stays(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("log")
    for i, records in enumerate(files):
        write(folder / f"day{i}.jsonl", records)
    columns = {"weight": "w", "event_time": "at"}
    config = platform(folder, {"path": "day*.jsonl", "columns": columns}, ingest={"max_id_length": 10})
    ledger = ingest(config, folder / "out")
    seen: set[tuple[str, str, str]] = set()
    for i, records in enumerate(files):
        reasons = [naive_reason(r) for r in records]
        kept, repeated = [], 0
        for n, (r, reason) in enumerate(zip(records, reasons, strict=True), start=1):
            key = (r["user_id"], r["item_id"], r["at"])
            repeated += reason is None and key in seen
            if reason is None and key not in seen:
                kept.append((n, float(r["w"])))
                seen.add(key)
        entry = ledger.files[i]
        assert (entry.rows_in, entry.rows_out, entry.deduplicated) == (len(records), len(kept), repeated)
        assert dict(entry.quarantined) == Counter(r for r in reasons if r)
        got = [(r["row"], r["weight"]) for r in rows(folder / "out" / "events") if r["file"] == i]
        assert got == kept
    assert set(ledger.quarantined) <= set(REASONS)


def naive_reason(r) -> str | None:
    for column, what in (("user_id", "user"), ("item_id", "item")):
        if not (r[column] or "").strip():
            return f"null_{what}"
    for column, what in (("user_id", "user"), ("item_id", "item")):
        if len(r[column]) > 10:
            return f"long_{what}"
    if "\t" in r["user_id"] + r["item_id"]:
        return "bad_encoding"
    if r["w"] not in ("1", "2"):
        return "bad_weight"
    return {"2024-01-01": None, "1969-01-01": "early_time", "2030-01-01": "future_time"}.get(
        r["at"], "bad_time"
    )


def test_too_many_bad_rows_refuse_the_domain_and_show_some(tmp_path):
    write(tmp_path / "log.csv", [{"user_id": "u", "item_id": "i", "w": w} for w in ["1"] * 9 + ["x"]])
    config = platform(tmp_path, {"path": "log.csv", "columns": {"weight": "w"}}, max_quarantined=0.05)
    with pytest.raises(ContractError) as caught:
        ingest(config, tmp_path / "out")
    e = caught.value
    assert (e.domain, e.file, e.column) == ("shop", "log.csv", "w")
    assert "bad_weight: 1" in str(e)
    assert "row 10" in str(e)
    assert e.detail["sample"][0]["row"] == 10
    assert "raise `domains.shop.max_quarantined`." in e.fix
    assert e.fix.endswith("hier quarantine show shop")


def test_one_drifted_file_among_many_sound_ones_refuses_the_domain(tmp_path):
    for day, count in enumerate([500, 500, 30, 500]):
        at = (1_700_000_000 + day) * (1000 if day == 2 else 1)
        write(tmp_path / f"{day}.csv", [{"user_id": f"u{n}", "item_id": "i", "at": at} for n in range(count)])
    source = {"path": "*.csv", "columns": {"event_time": "at"}, "time_unit": "s"}
    with pytest.raises(ContractError, match="future_time: 30") as caught:
        ingest(platform(tmp_path, source, max_quarantined=0.05), tmp_path / "out", now=NOW)
    assert caught.value.file == "2.csv"
