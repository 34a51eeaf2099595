"""A broken log stops its domain and everything below, says what is wrong, and leaves what is live alone."""

import gzip
import json
import sqlite3

import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from hier_dag.pipeline.stages import EVENTS


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-100])


def drop_column(path):
    pacsv.write_csv(pacsv.read_csv(path).drop_columns(["place"]), path)


def corrupt(path):
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    path.write_bytes(whole)


def cut_stream(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def change_times(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for n, line in enumerate(lines):
        if n % 2:
            line["time"] = "yesterday"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def rename_table(path):
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE bookings RENAME TO reservations")
    connection.close()


def rename_column(path):
    table = pq.read_table(path)
    names = [{"member": "member_id"}.get(n, n) for n in table.column_names]
    pq.write_table(table.rename_columns(names), path)


BREAKAGES = [
    ("food_delivery", "food_delivery/2026-03.parquet", cut_short, ["cannot be read"]),
    ("local_guide", "local_guide.csv", drop_column, ["column place", "there are: 'visitor', 'kind'"]),
    ("marketplace", "marketplace.jsonl.gz", corrupt, ["cannot be read"]),
    ("marketplace", "marketplace.jsonl.gz", cut_stream, ["cannot be read"]),
    ("grocery", "grocery.jsonl", empty, ["empty file"]),
    ("grocery", "grocery.jsonl", change_times, ["column time", "bad_time: 3", "are not valid", "row 2:"]),
    ("table_booking", "table_booking.sqlite", rename_table, ["bookings", "reservations"]),
    ("recipes", "recipes.csv.gz", lambda path: path.unlink(), ["no file matches"]),
    ("experiences", "experiences.parquet", rename_column, ["column member", "member_id"]),
]  # fmt: skip


def usable(platform):
    """Artifacts that a stage may build on: not the rows that a refused ingest keeps for people to look at."""
    return {a for a in platform.artifacts() if a.parent.name != "refused"}


@pytest.mark.parametrize(
    ("domain", "file", "harm", "says"), BREAKAGES, ids=lambda v: getattr(v, "__name__", None) or str(v)[:14]
)
def test_a_broken_log_stops_what_needs_it(own, hier, domain, file, harm, says):
    path, before = own.logs / file, (own.live(), usable(own))
    whole = path.read_bytes()
    harm(path)
    code, out, _ = hier("run", own.domains, "--json")
    assert code == 1
    steps = {s["step"]: s for s in json.loads(out)["steps"]}
    failed = steps.pop(f"raw/events[{domain}]")
    assert failed["outcome"] == "failed"
    assert f"domain {domain}" in failed["message"]
    assert file in failed["message"]
    assert "Fix:" in failed["message"]
    for words in says:
        assert words in failed["message"]
    above = {s for s in steps if s.startswith("raw/")}
    assert len(above) == 8
    assert {steps[s]["outcome"] for s in above} == {"reused"}
    assert {steps[s]["outcome"] for s in steps.keys() - above} == {"blocked"}
    assert (own.live(), usable(own)) == before

    path.write_bytes(whole)
    assert set(own.outcomes().values()) == {"reused"}


def test_the_terminal_names_domain_file_column_and_rows(own, hier):
    change_times(own.logs / "grocery.jsonl")
    code, out, err = hier("run", own.domains)
    assert code == 1
    assert "✗  4/16 raw/events[grocery]" in out
    assert "1 failed" in out
    for words in ("domain grocery", "logs/grocery.jsonl", "column time", "row 2:", "every live set stays"):
        assert words in err


def test_the_events_of_other_domains_are_still_made(fresh):
    corrupt(fresh.logs / "recipes.csv.gz")
    outcomes = fresh.outcomes()
    raw = {step: outcome for step, outcome in outcomes.items() if step.startswith("raw/")}
    assert raw.pop("raw/events[recipes]") == "failed"
    assert set(raw.values()) == {"made"}
    assert {o for step, o in outcomes.items() if not step.startswith("raw/")} == {"blocked"}
    assert not fresh.live()
    assert fresh.registry.latest(EVENTS, "grocery")


def test_a_file_mended_by_a_new_delivery_goes_through(own):
    path = own.logs / "recipes.csv.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    cut_stream(path)
    assert own.outcomes()["raw/events[recipes]"] == "failed"
    path.write_bytes(gzip.compress(b"".join(lines[:-5])))
    outcomes = own.outcomes()
    assert outcomes["raw/events[recipes]"] == "made"
    assert set(outcomes.values()) == {"made", "reused"}
    assert {json.loads(alias)["version"] for alias in own.live().values()} == {2}
    # What only warns of the shorter delivery is no failure of the contract.
    failures = own.registry.failures(EVENTS, "recipes")
    (failure,) = [f for f in failures if f["name"] == "contract"]
    assert failure["facts"]["domain"] == "recipes"
    assert failure["facts"]["file"] == "logs/recipes.csv.gz"


def test_links_that_lack_a_column_stop_the_graph(own, hier):
    links = own.data / "links" / "item_entity.parquet"
    pq.write_table(pq.read_table(links).drop_columns(["entity_id"]), links)
    before = own.live()
    code, out, _ = hier("run", own.domains, "--json")
    steps = {s["step"]: s for s in json.loads(out)["steps"]}
    assert code == 1
    assert steps["kg/graph"]["outcome"] == "blocked"
    assert "links/item_entity.parquet" in steps["raw/links"]["message"]
    assert "column entity_id" in steps["raw/links"]["message"]
    assert own.live() == before
