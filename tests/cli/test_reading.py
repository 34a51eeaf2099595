"""`hier recommend`, `hier report` and `hier why`: what was published, its figures, where it comes from."""

import csv
import gzip
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hier_dag.digest import digest_file
from hier_dag.evaluate.records import RECORD_SCHEMA
from hier_dag.pipeline.stages import EVENTS
from hier_dag.publish.reader import open_set

TARGETS = ("grocery", "table_booking", "recipes", "experiences", "meal_kits")


def published(platform, domain):
    return open_set(platform.home.root, domain)


def seen_by(platform, domain, user):
    """Items that the canonical events say a user has acted on."""
    tables = [pq.read_table(f).to_pylist() for f in platform.latest(EVENTS, domain).files("events/")]
    return {row["item_id"] for rows in tables for row in rows if row["user_id"] == user}


def some_active_user(platform, domain):
    """The user with most events in a domain."""
    users = []
    for file in platform.latest(EVENTS, domain).files("events/"):
        users += pq.read_table(file)["user_id"].to_pylist()
    return max(sorted(set(users)), key=users.count)


@pytest.mark.parametrize("domain", TARGETS)
def test_ten_items_that_the_user_has_not_seen(platform, hier, domain):
    user = published(platform, domain).some_users(1)[0]
    if domain != "meal_kits":
        user = some_active_user(platform, domain)
        assert seen_by(platform, domain, user)
    code, out, _ = hier("recommend", domain, user, "-k", "10", "--json")
    answer = json.loads(out)
    items = [item["item_id"] for item in answer["items"]]
    assert code == 0
    assert len(set(items)) == 10
    assert not set(items) & seen_by(platform, domain, user)
    scores = [item["score"] for item in answer["items"]]
    assert scores == sorted(scores, reverse=True)
    assert all(item["name"] for item in answer["items"])
    code, out, _ = hier("recommend", domain, user)
    assert code == 0
    for item in items:
        assert item in out


def test_an_unknown_user_is_told_what_known_ids_look_like(platform, hier):
    code, out, err = hier("recommend", "grocery", "nobody")
    assert (code, out) == (2, "")
    assert "'nobody' is not in the published set" in err
    assert published(platform, "grocery").some_users(1)[0] in err
    code, out, _ = hier("recommend", "grocery", "nobody", "--json")
    assert code == 2
    error = json.loads(out)["error"]
    assert (error["code"], error["domain"]) == ("usage", "grocery")
    assert error["fix"]


@pytest.mark.parametrize("command", ["recommend", "why"])
def test_an_unknown_domain_is_told_which_are_published(platform, hier, command):
    code, out, err = hier(command, "groceries", "nobody")
    assert (code, out) == (2, "")
    assert "nothing is published for 'groceries'" in err
    for domain in TARGETS:
        assert domain in err
    code, out, _ = hier(command, "groceries", "nobody", "--json")
    assert code == 2
    assert json.loads(out)["error"]["code"] == "usage"


def test_a_source_domain_has_nothing_to_recommend(platform, hier):
    code, _, err = hier("recommend", "marketplace", "nobody")
    assert code == 2
    assert "published: " in err


def test_asking_why_of_an_unknown_id(platform, hier):
    code, _, err = hier("why", "grocery", "nobody")
    assert code == 2
    assert "neither a user nor an item" in err


def test_before_the_first_run_commands_say_what_to_do(fresh, hier):
    code, _, err = hier("recommend", "grocery", "nobody")
    assert code == 2
    assert "nothing yet" in err
    assert "hier run" in err
    code, _, err = hier("report", "--domains", fresh.domains)
    assert code == 2
    assert "there is nothing of the platform 'sample' here" in err
    assert "hier run" in err


def test_the_records_have_exactly_the_declared_keys(platform, hier):
    code, out, _ = hier("report", "--json")
    records = json.loads(out)
    assert code == 0
    assert {tuple(record) for record in records} == {tuple(RECORD_SCHEMA.names)}
    assert RECORD_SCHEMA.names == [
        "domain", "setting", "shots", "model", "variant", "slice", "metric", "k", "value", "low", "high",
        "users", "seeds",
    ]  # fmt: skip
    assert {r["domain"] for r in records} == set(TARGETS) - {"meal_kits"}
    assert {r["setting"] for r in records} == {"zero_shot", "few_shot"}
    assert all((r["setting"] == "zero_shot") == (r["shots"] == "0") for r in records)
    assert {"hier", "random", "popularity", "entity_profile"} <= {r["model"] for r in records}
    assert {r["slice"] for r in records} <= {"all", "with_history", "cold", "cold_items"}
    assert {(r["metric"], r["k"]) for r in records} >= {(m, k) for m in ("hr", "ndcg") for k in (10, 50)}
    assert all(r["low"] <= r["value"] <= r["high"] for r in records)
    code, out, _ = hier("report")
    assert code == 0
    for domain in TARGETS:
        assert domain in out
    assert "nothing to score" in out


def raw_row(file, number):
    """Row `number` (1-based) of a raw file as a person would look it up."""
    if file.suffix == ".parquet":
        return list(pq.read_table(file).slice(number - 1, 1).to_pylist()[0].values())
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8", newline="") as lines:
        if ".csv" in file.suffixes:
            return list(csv.reader(lines))[number]
        return list(json.loads(lines.readlines()[number - 1]).values())


@pytest.mark.parametrize("domain", ["grocery", "recipes", "experiences"])
def test_a_user_is_walked_back_to_rows_that_really_hold_the_id(platform, hier, domain):
    user = some_active_user(platform, domain)
    code, out, _ = hier("why", domain, user, "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["domain"], found["role"], found["id"]) == (domain, "user", user)
    assert domain in {raw["domain"] for raw in found["raw"]}
    looked_at = 0
    for raw in found["raw"]:
        if "#" in raw["file"]:
            continue
        file = platform.data / raw["file"]
        assert digest_file(file) == raw["sha256"]
        assert raw["row_numbers"]
        for number in raw["row_numbers"]:
            assert user in raw_row(file, number), (raw["file"], number)
            looked_at += 1
    assert looked_at >= 5


def test_rows_of_an_sql_table_are_found_too(platform, hier):
    user = some_active_user(platform, "table_booking")
    found = json.loads(hier("why", "table_booking", user, "--json").out)
    (raw,) = [r for r in found["raw"] if r["domain"] == "table_booking"]
    assert raw["file"].endswith("#bookings")
    with sqlite3.connect(platform.logs / "table_booking.sqlite") as connection:
        query = "SELECT count(*) FROM bookings WHERE guest_id = ?"
        ((rows,),) = connection.execute(query, [user]).fetchall()
    connection.close()
    assert 0 < raw["rows"] <= rows


def test_the_walk_names_every_stage_and_its_parents(platform, hier):
    user = some_active_user(platform, "grocery")
    found = json.loads(hier("why", "grocery", user, "--json").out)
    by_digest = {a["digest"]: a for a in found["artifacts"]}
    kinds = [a["kind"] for a in found["artifacts"]]
    assert kinds[0] == "publish/embeddings"
    assert set(kinds) == {
        "publish/embeddings", "finetune/model", "pretrain/encoder", "kg/graph", "raw/events", "raw/links"
    }  # fmt: skip
    assert kinds.count("raw/events") == 8
    for artifact in found["artifacts"]:
        assert set(artifact["parents"].values()) <= set(by_digest)
        assert artifact["run_id"]
        assert artifact["code_version"]
        assert artifact["checks"]
        assert all(check["passed"] for check in artifact["checks"])
    code, out, _ = hier("why", "grocery", user)
    assert code == 0
    for words in ("publish/embeddings", "kg/graph", "raw/events[grocery]", "logs/grocery.jsonl", "rows "):
        assert words in out


def test_an_item_is_walked_back_as_well(platform, hier):
    item = published(platform, "recipes").recommend(some_active_user(platform, "recipes"), 1)[0].item_id
    found = json.loads(hier("why", "recipes", item, "--json").out)
    assert found["role"] == "item"
    for raw in found["raw"]:
        for number in raw["row_numbers"]:
            assert item in raw_row(platform.data / raw["file"], number)


def test_the_installed_command_ends_with_the_code_and_json_of_its_error(platform):
    hier = Path(sys.executable).parent / "hier"
    environment = {**os.environ, "HIER_HOME": str(platform.state)}
    asked = subprocess.run(
        [hier, "recommend", "grocery", "nobody", "--json"], capture_output=True, text=True, env=environment
    )
    assert asked.returncode == 2
    assert json.loads(asked.stdout)["error"]["code"] == "usage"


def test_an_unknown_target_of_a_run(platform, hier):
    code, out, _ = hier("run", platform.domains, "--target", "marketplace", "--json")
    assert code == 2
    error = json.loads(out)["error"]
    assert "not a target of this platform: marketplace" in error["message"]
    assert "grocery" in error["fix"]


def test_a_platform_without_any_test_pair_is_reported_too(own, hier):
    text = own.domains.read_text(encoding="utf-8")
    quiet = [name for name in own.config.target_names if name != "meal_kits"]
    for name in quiet:
        text = text.replace(f"  {name}:\n    role: target", f"  {name}:\n    role: source")
    own.domains.write_text(text, encoding="utf-8")
    assert own.config.target_names == ("meal_kits",)
    code, out, _ = hier("report", "--domains", own.domains)
    assert code == 0
    assert "meal_kits" in out
    assert "nothing to score" in out
