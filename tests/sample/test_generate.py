"""A generated platform: same bytes, honest counts, a domain without a log, and a safe folder."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import sqlite3
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from hier_dag.config import check_config
from hier_dag.digest import digest_file
from hier_dag.errors import UsageError
from hier_dag.sample import SampleParams, generate
from hier_dag.sample.services import BEHAVIORS, SERVICES, Service

SMALL = SampleParams(users=400, events=4000, items=300)
DOMAINS = Path(__file__).parents[2] / "examples" / "sample" / "domains.yaml"


def digests(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): digest_file(p) for p in folder.rglob("*") if p.is_file()}


def read_log(path: Path, service: Service) -> list[dict]:
    """The rows of one log file in canonical columns, by the plainest reader there is."""
    if service.format == "parquet":
        rows = pq.read_table(path).to_pylist()
    elif service.format == "sqlite":
        with sqlite3.connect(path) as connection:
            connection.row_factory = sqlite3.Row
            rows = [dict(row) for row in connection.execute(f"SELECT * FROM {service.table}")]
    else:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = content.decode().splitlines()
        rows = list(csv.DictReader(lines)) if service.format == "csv" else [json.loads(x) for x in lines]
    return [{c: row[name] for c, name in service.columns.items()} for row in rows]


def read_time(value: object, service: Service) -> datetime | None:
    if isinstance(value, datetime):
        return value
    try:
        if service.clock == "iso":
            return datetime.fromisoformat(str(value))
        return datetime.fromtimestamp(int(value) / (1000 if service.clock == "ms" else 1), UTC)
    except ValueError:
        return None


def fault_of(row: dict, service: Service) -> str | None:
    for column in ("user_id", "item_id"):
        if row[column] is None:
            return f"null_{column}"
        if row[column] == "":
            return f"empty_{column}"
    if "behavior" in row and row["behavior"] not in BEHAVIORS:
        return "unknown_behavior"
    if "weight" in row and not float(row["weight"]) > 0:
        return "non_positive_weight" if float(row["weight"]) <= 0 else "nan_weight"
    if row["event_time"] is None:
        return "missing_time"
    time = read_time(row["event_time"], service)
    if time is None:
        return "unparseable_time"
    if time.year == 1970:
        return "epoch_zero_time"
    return "far_future_time" if time.year > 2026 else None


def test_every_fault_is_counted_by_file_and_kind(sample):
    services = {service.name: service for service in SERVICES}
    for file, counted in sample.dirty["files"].items():
        service = services[counted["domain"]]
        rows = read_log(sample.folder / file, service)
        faults = Counter(fault_of(row, service) for row in rows)
        sound = Counter(tuple(row.values()) for row in rows if fault_of(row, service) is None)
        assert faults.pop(None) == sound.total()
        faults["duplicate"] = sound.total() - len(sound)
        assert len(rows) == counted["rows"]
        assert len(sound) == counted["clean"]
        assert dict(faults) == counted["faults"]


def test_about_one_row_in_a_hundred_is_faulty_and_the_sums_agree(sample):
    total = sample.dirty["total"]
    assert total["rows"] == total["clean"] + sum(total["faults"].values())
    assert 0.008 < sum(total["faults"].values()) / total["rows"] < 0.012
    assert total["faults"] == sample.summary.dirty
    assert total["clean"] == sum(sample.summary.events.values())
    assert len(total["faults"]) == 12


def test_the_same_parameters_give_the_same_bytes_and_another_seed_others(tmp_path):
    generate(tmp_path / "a", SMALL)
    generate(tmp_path / "b", SMALL)
    generate(tmp_path / "c", SampleParams(users=400, events=4000, items=300, seed=1))
    a, b, c = (digests(tmp_path / name) for name in "abc")
    assert a == b
    logs = [name for name in a if name.startswith("logs")]
    assert len(logs) == 12
    assert all(a[name] != c[name] for name in logs)


def test_the_example_declares_exactly_what_is_generated(sample, monkeypatch):
    monkeypatch.setenv("HIER_DATA", str(sample.folder))
    config, issues = check_config(DOMAINS)
    assert issues == []
    assert config is not None
    assert config.source_names == tuple(s.name for s in SERVICES if s.role == "source")
    assert config.target_names == tuple(s.name for s in SERVICES if s.role == "target")
    for service in SERVICES[:-1]:
        columns = config.domains[service.name].sources[0].columns.model_dump(exclude_none=True)
        assert columns == service.columns


def test_one_target_has_a_catalogue_and_links_but_no_log(sample):
    items = pacsv.read_csv(sample.folder / "catalogue" / "meal_kits.csv")["item_id"].to_pylist()
    linked = set(pq.read_table(sample.folder / "links" / "item_entity.parquet")["item_id"].to_pylist())
    assert items
    assert set(items) <= linked
    assert sample.summary.events["meal_kits"] == 0
    assert not any("meal_kits" in file for file in sample.dirty["files"])
    unseen = pq.read_table(sample.folder / "truth" / "empty_target_interactions.parquet")
    assert unseen.column_names == ["user_id", "item_id", "behavior", "event_time"]
    assert unseen.num_rows > 1000
    assert set(unseen["item_id"].to_pylist()) <= set(items)


def test_targets_keep_enough_to_train_and_to_test_and_share_users_with_the_sources(sample):
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    folder = sample.folder
    db.execute(
        f"""
        CREATE VIEW source_users AS
        SELECT customer_id AS u FROM '{folder}/logs/food_delivery/*.parquet'
        UNION SELECT uid FROM '{folder}/logs/marketplace.jsonl.gz'
        UNION SELECT visitor FROM '{folder}/logs/local_guide.csv'
        """
    )
    logs = {
        "grocery.jsonl": ("user", "time"),
        "recipes.csv.gz": ("cook", "saved_at"),
        "experiences.parquet": ("member", "at"),
    }
    for log, (user, time) in logs.items():
        rows = (
            f"""(SELECT "{user}" AS u, try_cast("{time}" AS TIMESTAMPTZ) AS t FROM '{folder}/logs/{log}')"""
        )
        train, testers, overlap = db.execute(
            f"""
            SELECT avg((t < '2026-06-01')::INT),
                   count(DISTINCT u) FILTER (t >= '2026-06-11' AND t < '2026-07-01'),
                   count(DISTINCT u) FILTER (u IN (FROM source_users)) / count(DISTINCT u)
            FROM {rows} WHERE t > '2000-01-01'
            """
        ).fetchone()
        assert train >= 0.4, log
        assert testers >= 300, log
        assert 0.7 <= overlap <= 0.9, log


def test_activity_is_long_tailed(sample):
    counts = duckdb.sql(
        f"SELECT count(*) AS n FROM '{sample.folder}/logs/food_delivery/*.parquet' GROUP BY customer_id"
    ).fetchnumpy()["n"]
    counts.sort()
    assert counts[-len(counts) // 10 :].sum() > 0.35 * counts.sum()


def test_progress_ends_at_the_total(tmp_path):
    seen: list[tuple[int, int]] = []
    summary = generate(tmp_path / "s", SMALL, lambda done, total: seen.append((done, total)))
    done = [d for d, _ in seen]
    assert done == sorted(done)
    assert done[-1] == sum(summary.events.values())
    assert seen[-1][1] == pytest.approx(4000, abs=10)


def test_a_former_sample_is_replaced_whole(tmp_path):
    folder = tmp_path / "s"
    generate(folder, SMALL)
    stale = folder / "logs" / "food_delivery" / "2025-12.parquet"
    shutil.copy(folder / "logs" / "food_delivery" / "2026-01.parquet", stale)
    (folder / "notes.txt").write_text("mine")
    summary = generate(folder, SMALL)
    assert not stale.exists()
    assert (folder / "notes.txt").read_text() == "mine"
    assert summary.files == len(digests(folder)) - 1
    assert [p.name for p in tmp_path.iterdir()] == ["s"]


def test_a_folder_with_anything_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("the only copy")
    with pytest.raises(UsageError, match="new or empty"):
        generate(tmp_path, SMALL)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
