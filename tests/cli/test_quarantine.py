"""Quarantined rows are listed, shown with the fix, mended and run again; every row stays accounted for."""

import csv
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.ingest.ledger import Ledger
from hier_dag.pipeline.stages import CORRECTIONS, EVENTS

DOMAIN = "marketplace"


def ledger(platform, domain=DOMAIN):
    return Ledger.read(platform.latest(EVENTS, domain).file("ledger.json"))


def events(platform, domain=DOMAIN):
    tables = [pq.read_table(p) for p in platform.latest(EVENTS, domain).files("events/")]
    return pa.concat_tables(tables).sort_by([("file", "ascending"), ("row", "ascending")]).to_pylist()


def test_every_quarantined_row_is_listed_by_file_and_reason(platform, hier):
    listed = json.loads(hier("quarantine", "list", "--json").out)
    mine = {r["reason"]: r["rows"] for r in listed if r["domain"] == DOMAIN}
    assert mine == dict(ledger(platform).quarantined)
    assert {r["outcome"] for r in listed} == {"accepted"}
    code, out, _ = hier("quarantine", "list")
    assert code == 0
    assert DOMAIN in out
    assert "hier quarantine show" in out


def test_a_row_is_shown_with_its_place_its_reasons_and_what_to_do(platform, hier):
    code, out, _ = hier("quarantine", "show", DOMAIN, "--reason", "unknown_behavior", "-n", "1")
    assert code == 0
    assert "unknown_behavior" in out
    assert "→" in out
    shown = json.loads(hier("quarantine", "show", DOMAIN, "--reason", "unknown_behavior", "--json").out)
    assert shown["rows"] == ledger(platform).quarantined["unknown_behavior"]
    assert all("unknown_behavior" in r["reasons"] for r in shown["shown"])
    assert hier("quarantine", "show", DOMAIN, "--file", "marketplace.jsonl.gz", "--json").code == 0


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_mended_rows_go_back_and_nothing_else_changes(own, hier, tmp_path, suffix):
    before, was = ledger(own), events(own)
    out = tmp_path / f"rows.{suffix}"
    assert hier("quarantine", "show", DOMAIN, "--reason", "unknown_behavior", "--out", out).code == 0
    mend_behaviours(out)

    trial = hier(
        "quarantine", "replay", DOMAIN, "--corrections", out, "--why", "old app", "--dry-run", "--json"
    )
    said = {r["what"]: r["after"] for r in json.loads(trial.out)["rows"]}
    assert own.registry.latest(CORRECTIONS, DOMAIN) is None
    assert ledger(own) == before

    code, text, _ = hier("quarantine", "replay", DOMAIN, "--corrections", out, "--why", "old app")
    assert code == 0
    assert "hier run" in text
    after, now = ledger(own), events(own)
    mended = before.quarantined["unknown_behavior"]
    assert after.quarantined.get("unknown_behavior", 0) == 0
    assert after.rows_in == before.rows_in
    assert after.rows_out + after.deduplicated == before.rows_out + before.deduplicated + mended
    assert sum(f.corrected for f in after.files) == mended
    assert (said["valid"], said["deduplicated"]) == (after.rows_out, after.deduplicated)

    kept = {(r["file"], r["row"]): r for r in now}
    # A mended row may be the first of equal ones and take the place of a later one.
    assert sum(kept.get((r["file"], r["row"])) != r for r in was) <= after.deduplicated - before.deduplicated
    new = [r for r in now if (r["file"], r["row"]) not in {(w["file"], w["row"]) for w in was}]
    assert {r["behavior"] for r in new} == {"order"}

    assert own.outcomes()[f"raw/events[{DOMAIN}]"] == "reused"
    recorded = own.registry.checks(own.registry.latest(CORRECTIONS, DOMAIN))
    assert recorded[-1].facts["why"] == "old app"


def mend_behaviours(path):
    if path.suffix == ".jsonl":
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            line["values"] = {"event": "order"}  # what is left out stays as it was
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return
    with path.open(newline="") as f:
        rows = list(csv.DictReader(f))
    for row in rows:
        row["event"] = "order"
    with path.open("w", newline="") as f:
        writer = csv.DictWriter(f, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_a_mended_rule_lets_its_rows_in(own, hier):
    before = ledger(own)
    shown = json.loads(hier("quarantine", "show", DOMAIN, "--reason", "unknown_behavior", "--json").out)
    behaviours = {json.loads(r["raw"])["event"] for r in shown["shown"]} - {None}
    text = own.domains.read_text()
    allowed = ", ".join(f"{b}: 1" for b in behaviours)
    text = text.replace("&behaviors {view: 1,", f"&behaviors {{{allowed}, view: 1,")
    own.domains.write_text(text)
    answer = json.loads(hier("quarantine", "replay", DOMAIN, "--domains", own.domains, "--json").out)
    after = ledger(own)
    assert {r["what"]: r["after"] for r in answer["rows"]}["valid"] == after.rows_out
    assert after.rows_out > before.rows_out
    assert after.quarantined.get("unknown_behavior", 0) < before.quarantined["unknown_behavior"]


def test_a_refused_ingest_keeps_its_rows_until_the_file_is_mended(own, hier):
    text = own.domains.read_text()
    strict = text.replace(
        "  marketplace:\n", "  marketplace:\n    max_quarantined_by_reason: {unknown_behavior: 0}\n"
    )
    own.domains.write_text(strict)
    step = own.run()[f"raw/events[{DOMAIN}]"]
    assert step.outcome == "failed"
    assert "max_quarantined_by_reason.unknown_behavior" in step.message
    assert f"hier quarantine show {DOMAIN}" in step.message
    listed = json.loads(hier("quarantine", "list", "--json").out)
    mine = {r["reason"]: r["rows"] for r in listed if r["domain"] == DOMAIN and r["outcome"] == "refused"}
    assert mine == dict(ledger(own).quarantined)
    own.domains.write_text(text)
    assert own.outcomes()[f"raw/events[{DOMAIN}]"] == "reused"
    listed = json.loads(hier("quarantine", "list", "--json").out)
    assert {r["outcome"] for r in listed if r["domain"] == DOMAIN} == {"accepted"}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"file": "logs/other.csv", "row": 1, "values": {"event": "view"}}, "not in the quarantine"),
        ({"row": 1, "values": {}}, "not an export"),
        ({"values": {"event": 3}}, "must be text or null"),
        ({"values": {"evnt": "view"}}, "source columns are"),
    ],
)
def test_corrections_that_fit_no_row_are_refused(platform, hier, tmp_path, line, says):
    shown = json.loads(hier("quarantine", "show", DOMAIN, "--json").out)["shown"][0]
    if "file" not in line and "row" not in line:
        line = {"file": shown["location"], "row": shown["row"], **line}
    (tmp_path / "mended.jsonl").write_text(json.dumps(line) + "\n")
    code, _, err = hier(
        "quarantine", "replay", DOMAIN, "--corrections", tmp_path / "mended.jsonl", "--why", "x", "--dry-run"
    )
    assert code == 2
    assert says in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "nowhere"), "no domain is called 'nowhere'"),
        (("show", DOMAIN, "--reason", "odd"), "no reason is called 'odd'"),
        (("show", DOMAIN, "--file", "odd.csv"), "no raw file is called"),
        (("show", DOMAIN, "--out", "rows.xls"), "no format is known"),
        (("replay", DOMAIN, "--corrections", "rows.csv"), "corrections need a reason"),
        (("replay", "links", "--corrections", "rows.csv"), "links take no corrections"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_choices(platform, hier, arguments, says):
    code, _, err = hier("quarantine", *arguments)
    assert code == 2
    assert says in err


def test_an_export_handed_back_as_it_was_changes_nothing(own, hier, tmp_path):
    """Broken lines included: an id that is no text makes a line of JSON that is an object and yet no row."""
    log = own.logs / "grocery.jsonl"
    log.write_text(log.read_text() + '{"user": 1.5, "product": "p", "type": "view"}\nnot JSON\n')
    assert own.outcomes()["raw/events[grocery]"] == "made"
    lines = {"malformed_row": 2}.items()
    assert lines <= ledger(own, "grocery").quarantined.items()
    for suffix in ("csv", "jsonl"):
        out = tmp_path / f"rows.{suffix}"
        assert hier("quarantine", "show", "grocery", "--out", out).code == 0
        assert "not JSON" in out.read_text()
        again = hier(
            "quarantine", "replay", "grocery", "--corrections", out, "--why", "x", "--dry-run", "--json"
        )
        answer = json.loads(again.out)
        assert (answer["corrected"], answer["refused"]) == (0, None)
        assert all(r["before"] == r["after"] for r in answer["rows"])


def test_a_correction_is_corrected_and_withdrawn(own, hier, tmp_path):
    before = ledger(own)
    out = tmp_path / "rows.jsonl"
    hier("quarantine", "show", DOMAIN, "--reason", "unknown_behavior", "--out", out)
    for behaviour in ("oder", "order"):  # the first is a slip
        lines = [json.loads(line) for line in out.read_text().splitlines()]
        out.write_text("".join(json.dumps({**x, "values": {"event": behaviour}}) + "\n" for x in lines))
        assert hier("quarantine", "replay", DOMAIN, "--corrections", out, "--why", "old app").code == 0
    assert "unknown_behavior" not in ledger(own).quarantined
    hier("quarantine", "replay", DOMAIN, "--corrections", out, "--why", "again")
    log = own.logs / "marketplace.jsonl.gz"
    log.write_bytes(log.read_bytes() + gzip.compress(b"\n"))
    assert own.outcomes()[f"raw/events[{DOMAIN}]"] == "made"
    checks = own.registry.checks(own.registry.latest(EVENTS, DOMAIN))
    (lapsed,) = [c for c in checks if c.name == "corrections"]
    assert not lapsed.passed
    assert "no longer apply" in lapsed.facts["message"]
    assert hier("quarantine", "replay", DOMAIN, "--withdraw", "--why", "not ours to mend").code == 0
    assert ledger(own).quarantined == before.quarantined


def test_a_dry_run_asks_every_contract(own, hier):
    text = own.domains.read_text()
    strict = (
        "  marketplace:\n    expectations: {rows: {min: 1000000, level: block}}\n    max_quarantined: 0.9\n"
    )
    own.domains.write_text(text.replace("  marketplace:\n", strict))
    answer = hier("quarantine", "replay", DOMAIN, "--dry-run", "--domains", own.domains)
    assert answer.code == 1
    assert "domains.marketplace.expectations" in answer.out
