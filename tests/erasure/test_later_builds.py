"""Whom a platform forgot is in no later build, whatever raw files come back; what had nobody stays."""

import json
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from benchmarks.faults.erasure import USER, oracle
from hier_dag.builds.events import build_events
from hier_dag.builds.graph import build_graph
from hier_dag.builds.links import build_links
from hier_dag.builds.trial import throwaway, try_raw
from hier_dag.erasure.erased import Erased
from hier_dag.erasure.forget import forget
from hier_dag.erasure.reach import by_user, reach
from hier_dag.erasure.secret import Secret
from hier_dag.erasure.status import stale_because_of_erasures, standing
from hier_dag.erasure.verify import verify
from hier_dag.ingest.connection import connect
from hier_dag.pipeline.policy import policy_of
from hier_dag.pipeline.requests import events_request, graph_request, links_request
from hier_dag.pipeline.stages import EVENTS, GRAPH, LINKS, PUBLISHED
from hier_dag.pipeline.workshop import Refused
from hier_dag.quarantine.held import newest
from hier_dag.quarantine.mended import Mended
from hier_dag.quarantine.replay import corrections_of, record_corrections
from hier_dag.registry import CheckRow, Move
from tests.databases import of_sqlite


def engine(platform):
    return connect(platform.home.scratch, threads=1)


def erase(platform, *users, **options):
    with engine(platform) as con:
        policy = policy_of(platform.config, platform.home.root)
        return forget(con, platform.workshop(), policy, users, why="a request", **options)


def make_events(platform, domain):
    workshop, config = platform.workshop(), platform.config
    return workshop.make(
        events_request(config, domain, workshop.registry.latest("raw/corrections", domain)),
        lambda r, s: build_events(config, domain, r, s, workshop, lambda: engine(platform)),
        run_id="t",
    )


def make_links(platform):
    workshop, config = platform.workshop(), platform.config
    erased = workshop.erasures.erased()
    return workshop.make(
        links_request(config),
        lambda r, s: build_links(config, r, s, lambda: engine(platform), erased),
        run_id="t",
    )


def make_graph(platform):
    workshop, config = platform.workshop(), platform.config
    return workshop.make(
        graph_request(config, workshop.registry),
        lambda r, s: build_graph(config, r, s, workshop, lambda: engine(platform)),
        run_id="t",
    )


def users_of(artifact, part="events/"):
    return {u for f in artifact.files(part) for u in pq.read_table(f)["user_id"].to_pylist()}


def texts_of(artifact):
    tables = [pq.read_table(f) for f in artifact.files("") if f.suffix == ".parquet"]
    return {u for t in tables for u in USER.findall(json.dumps(t.to_pylist(), default=str))}


def test_what_an_erasure_reaches_is_what_reading_everything_finds(platform):
    known = sorted(users_of(platform.latest(EVENTS, "food_delivery")) | texts_of(platform.latest(LINKS)))
    chosen = [*known[::23], "u9999999"]
    expected = oracle(platform.home.store, chosen)

    secret = Secret("cd" * 32)
    erased = Erased(secret, tuple(sorted(map(secret.token, chosen))))
    with engine(platform) as con:
        found = by_user(reach(con, platform.workshop(), erased))
    assert found == expected
    assert {grade for of in expected.values() for grade in of.values()} == {"holds", "learnt"}


@pytest.fixture
def user(own):
    """Somebody with events in food_delivery and grocery, and none in recipes."""
    events = {d: users_of(own.latest(EVENTS, d)) for d in ("food_delivery", "grocery")}
    return min(events["food_delivery"] & events["grocery"] - texts_of(own.latest(EVENTS, "recipes")))


def test_rows_of_an_erased_user_are_left_out_and_a_domain_without_them_is_reused(own, user):
    before = {d: own.latest(EVENTS, d) for d in ("food_delivery", "recipes")}
    tables = map(pq.read_table, before["food_delivery"].files("events/"))
    rows = sum(table["user_id"].to_pylist().count(user) for table in tables)
    erase(own, user)
    made = make_events(own, "food_delivery")
    assert not made.reused
    assert user not in texts_of(made.artifact)
    old, new = (a.json("ledger.json")["totals"] for a in (before["food_delivery"], made.artifact))
    assert new["erased"] >= rows > 0
    assert new["rows_out"] == old["rows_out"] - rows
    assert new["rows_in"] == old["rows_in"]
    again, other = make_events(own, "food_delivery"), make_events(own, "recipes")
    assert (again.reused, again.artifact.digest) == (True, made.artifact.digest)
    assert (other.reused, other.artifact.digest) == (True, before["recipes"].digest)
    links = make_links(own)
    assert user not in texts_of(links.artifact)


def test_an_old_raw_copy_brings_nobody_back(own, user):
    log = own.logs / "grocery.jsonl"
    old = log.read_text(encoding="utf-8").splitlines(keepends=True)
    erase(own, user)
    log.write_text("".join(line for line in old if user not in line), encoding="utf-8")
    cleaned = make_events(own, "grocery").artifact
    log.write_text("".join(old), encoding="utf-8")
    back = make_events(own, "grocery")
    assert not back.reused, "the artifact of these very files holds them"
    assert user not in texts_of(back.artifact)
    totals = [a.json("ledger.json")["totals"] for a in (cleaned, back.artifact)]
    assert totals[1]["erased"] == sum(user in line for line in old)
    assert {**totals[0], "rows_in": len(old)} == {k: n for k, n in totals[1].items() if k != "erased"}


def test_a_check_of_the_data_leaves_them_out_as_a_run_would(own, user, tmp_path):
    erase(own, user)
    with throwaway(own.config, own.workshop(), tmp_path / "trial") as trial:
        contract, *_ = try_raw(own.config, trial, "grocery", lambda: engine(own))
    assert contract.outcome == "held"
    assert contract.facts["erased"] > 0


def test_a_graph_is_not_made_of_events_that_hold_an_erased_user(own, user):
    erase(own, user)
    with pytest.raises(Refused, match=r"made from what is of erased users: .*events:food_delivery holds"):
        make_graph(own)
    for domain in own.config.domains:
        make_events(own, domain)
    make_links(own)
    made = make_graph(own)
    assert user not in users_of(made.artifact, "nodes/users")


def test_an_erasure_during_a_build_keeps_it_from_being_committed(own, user):
    workshop, config = own.workshop(), own.config
    erase(own, "u9999998")

    def build(request, staged):
        built = build_events(config, "grocery", request, staged, workshop, lambda: engine(own))
        erase(own, user)
        return built

    request = replace(events_request(config, "grocery"), code_version="another")
    with pytest.raises(Refused, match=r"users were erased while raw/events\[grocery\] was being made"):
        workshop.make(request, build, run_id="t")


def test_what_awaits_retraining_is_told_and_proven(own, user):
    assert stale_because_of_erasures(own.registry, own.store) == []
    done = erase(own, user)
    titles = [s.title for s in stale_because_of_erasures(own.registry, own.store)]
    assert titles.index("raw/events[grocery]") < titles.index("kg/graph") < titles.index("pretrain/encoder")
    assert "raw/events[recipes]" not in titles
    assert "publish/embeddings[recipes]" in titles, "it learnt of the graph that holds them"
    states = {
        (a["kind"], a["partition"]): a["state"] for a in standing(own.registry, own.store, done.receipt)
    }
    assert states[PUBLISHED, "grocery"] == "suppressed"
    assert states[GRAPH, None] == states["finetune/model", "recipes"] == "awaits re-training"
    policy = policy_of(own.config, own.home.root)
    with engine(own) as con:
        proof = verify(con, own.workshop(), policy, done.receipt, user)
        other = verify(con, own.workshop(), policy, done.receipt, "u9999999")
        forged = verify(con, own.workshop(), policy, replace(done.receipt, users=2))
    assert (proof.sets, proof.problems) == (5, [])
    assert other.problems == ["the receipt is not about that user"]
    assert len(forged.problems) == 2


def test_a_set_in_force_that_holds_one_of_its_users_disproves_a_receipt(own, user):
    old = own.registry.alias("grocery")
    done = erase(own, user, keep_old=True)

    own.registry.move_alias(Move("grocery", "live", old.digest, "", "past the guards", space=old.space))
    with engine(own) as con:
        proof = verify(con, own.workshop(), policy_of(own.config, own.home.root), done.receipt)
    assert proof.problems == ["grocery live: the set in force holds 1 of the users"]


def test_corrections_that_name_an_erased_user_go_and_no_new_ones_come(own):
    workshop = own.workshop()
    held = newest(own.config, workshop, "marketplace")
    first, second = held.rows("unknown_behavior").slice(0, 2).to_pylist()
    digests = {f.location: f.sha256 for f in held.ledger.files}

    def given(row):
        values = json.loads(row["raw"]) | {"event": "view"}
        place = {"sha256": digests[row["location"]], "location": row["location"], "row": row["row"]}
        return {**place, "before": row["raw"], "values": json.dumps(values)}

    source = own.folder / "mended.jsonl"
    source.write_text("{}", encoding="utf-8")
    record_corrections(workshop, "marketplace", Mended([given(first), given(second)], 0), source, "old app")
    (user,) = USER.findall(first["raw"])
    erase(own, user)
    left = corrections_of(own.workshop(), "marketplace").table
    assert left["before"].to_pylist() == [second["raw"]]
    record_corrections(own.workshop(), "marketplace", Mended([given(first)], 0), source, "once more")
    assert corrections_of(own.workshop(), "marketplace").table.equals(left)
    made = make_events(own, "marketplace")
    assert made.artifact.json("ledger.json")["files"][0]["corrected"] == 1
    assert user not in texts_of(made.artifact)


@of_sqlite
def test_facts_of_checks_that_show_their_rows_are_redacted(own, user):

    shown = [
        CheckRow("contract", False, {"sample": [f'{{"uid":"{user}"}}']}),
        CheckRow("other", True, {"n": 1}),
    ]
    own.registry.record_failure(EVENTS, "grocery", "k", shown, run_id="r")
    done = erase(own, user)
    assert done.receipt.redacted == 1
    assert user.encode() not in own.registry_file.read_bytes()
    assert [f["facts"] for f in own.registry.failures(EVENTS, "grocery")] == [{"redacted": True}]
