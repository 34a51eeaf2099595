"""The lineage report says what is live, by which chain, and whether the registry is sound."""

import json
import sqlite3

from hier_dag.audit.report import HTML, JSON, MARKDOWN, platform_report, write_report
from hier_dag.registry import Move
from hier_dag.registry.decisions import PIN, UNPIN, WAIVER
from tests.databases import of_sqlite

TARGETS = ["experiences", "grocery", "meal_kits", "recipes", "table_booking"]


def test_every_live_set_is_told_with_the_chain_down_to_the_raw_files(platform):
    report = platform_report(platform.registry)
    assert [live["domain"] for live in report["live"]] == TARGETS
    for live in report["live"]:
        row = platform.registry.alias(live["domain"])
        assert (live["version"], live["digest"], live["event"]) == (row.version, row.digest, row.event)
        titles = [report["artifacts"][digest]["title"] for digest in live["chain"]]
        assert titles[-2:] == [f"finetune/model[{row.domain}]", f"publish/embeddings[{row.domain}]"]
        assert sum(title.startswith("raw/events[") for title in titles) == 8
        assert not live["not_on_record"]
        assert live["checks"] > 50
    for digest, artifact in report["artifacts"].items():
        known = platform.registry.artifact(digest)
        assert artifact["parents"] == known.manifest["parents"]
        assert (artifact["event"], artifact["who"]) == (known.event, known.who)
    files = {f["location"]: f["sha256"] for f in report["raw_files"]}
    assert (
        files["logs/grocery.jsonl"] == (platform.latest("raw/events", "grocery").manifest.inputs[0]["sha256"])
    )
    assert report["chain"]["problems"] == 0
    assert report["chain"]["events"] == platform.registry.head().seq == report["chain"]["head"]["seq"]


def test_the_same_registry_gives_the_same_files(platform, tmp_path):
    once, again = (
        {name: path.read_bytes() for name, path in
         write_report(platform_report(platform.registry), tmp_path / folder).items()}
        for folder in ("a", "b")
    )  # fmt: skip
    assert once == again
    assert set(once) == {HTML, MARKDOWN, JSON}
    assert json.loads(once[JSON])["platform"] == "sample"
    for live in platform_report(platform.registry)["live"]:
        assert live["digest"][:12].encode() in once[HTML]
        assert live["digest"][:12].encode() in once[MARKDOWN]
    assert b"The registry verifies" in once[HTML]
    assert b"<script" not in once[HTML]


def test_a_decision_is_told_until_the_next_one_on_its_subject(own):
    model = own.latest("finetune/model", "recipes").digest
    own.registry.decide("recipes", WAIVER, model, why="a pilot")
    published = own.latest("publish/embeddings", "recipes").digest
    own.registry.decide("recipes", PIN, published, why="basis of the review")
    held = platform_report(own.registry)["decisions"]["held"]
    assert [(d["kind"], d["subject"]) for d in held] == [("pin", published), ("waiver", model)]
    own.registry.decide("recipes", UNPIN, published, why="reviewed")
    assert [d["kind"] for d in platform_report(own.registry)["decisions"]["held"]] == ["waiver"]


def test_a_waiver_that_let_a_set_go_live_is_told_beside_it(own):
    before = {live["domain"]: live["let_live_by"] for live in platform_report(own.registry)["live"]}
    assert not any(before.values())
    # After the set went live: it has not let it live.
    model = own.latest("finetune/model", "grocery").digest
    own.registry.decide("grocery", WAIVER, model, why="too late")
    assert not any(live["let_live_by"] for live in platform_report(own.registry)["live"])
    digest = own.registry.alias("grocery").digest
    own.registry.move_alias(Move("grocery", "canary", digest, "", why="try it", change="same"))
    (canary,) = [live for live in platform_report(own.registry)["live"] if live["alias"] == "canary"]
    assert [d["why"] for d in canary["let_live_by"]] == ["too late"]


@of_sqlite
def test_a_registry_that_was_tampered_with_is_told_and_refused(own, hier, tmp_path):
    told = hier("audit", "lineage-report", "--domains", own.domains, "--out", tmp_path / "sound")
    assert told.code == 0, told.err
    assert "5 live, 21 artifacts" in told.out
    _forge(own.registry_file)
    told = hier("audit", "lineage-report", "--domains", own.domains, "--out", tmp_path / "forged", "--json")
    assert told.code == 1
    report = json.loads(told.out)
    assert report["chain"]["problems"] >= 1
    page = (tmp_path / "forged" / HTML).read_text(encoding="utf-8")
    assert "The registry does not verify" in page
    assert report["chain"]["first_problems"][0].split(":")[0] in page
    fast = hier("audit", "lineage-report", "--fast", "--domains", own.domains, "--out", tmp_path / "fast")
    assert (fast.code, "not verified" in fast.out) == (0, True)
    assert "was not verified" in (tmp_path / "fast" / HTML).read_text(encoding="utf-8")


def _forge(file):
    """Rewrites who published, as somebody with a database client would."""
    with sqlite3.connect(file) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f'DROP TRIGGER "{name}"')
        db.execute("UPDATE aliases SET who = 'nobody' WHERE domain = 'grocery'")
