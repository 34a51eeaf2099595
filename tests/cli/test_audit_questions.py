"""`hier why`, `hier audit trace`, `diff` and `impact` on the sample platform, for people and for programs."""

import json

import pytest

from hier_dag.digest import digest_file
from hier_dag.publish.reader import open_set
from hier_dag.registry import Move, Registry


def answered(hier, *arguments):
    answer = hier(*arguments, "--json")
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


def test_why_tells_people_who_let_it_go_live_and_what_was_lost(platform, hier):
    user = open_set(platform.home.root, "grocery").some_users(1, "trained")[0]
    answer = hier("why", "grocery", user)
    assert answer.code == 0, answer.err
    for told in (
        "in force since", "published by the pipeline", "transfer_gate", "leakage certificates",
        "held-out pairs among", "environment", "Python 3.", "logs/grocery.jsonl", "quarantined", "duplicates",
    ):  # fmt: skip
        assert told in answer.out


def test_why_with_an_item_leads_from_intent_to_exemplar_to_entities(platform, hier):
    live = open_set(platform.home.root, "grocery")
    user = live.some_users(1, "trained")[0]
    item = live.recommend(user, 1)[0].item_id
    told = answered(hier, "why", "grocery", user, "--item", item)
    carrying = told["recommendation"]
    assert (told["id"], carrying["user"], carrying["item"]) == (user, user, item)
    assert sum(p["value"] for p in carrying["paths"]) == pytest.approx(carrying["terms"]["paths"], abs=1e-3)
    entities = {e["exemplar"]: e["entities"] for e in carrying["exemplars"]}
    assert all(entities[p["exemplar"]] for p in carrying["paths"][:3])
    assert carrying["item_entities"]
    assert told["raw"]
    shown = hier("why", "grocery", user, "--item", item, "-n", 2)
    assert shown.code == 0, shown.err
    assert "→ exemplar" in shown.out
    assert "→ entities" in shown.out
    assert f"{len(carrying['paths']) - 2:,} other paths" in shown.out
    assert answered(hier, "why", "grocery", user)["recommendation"] is None


def test_an_item_is_recommended_to_users_alone(platform, hier):
    answer = hier("why", "grocery", "x", "--role", "item", "--item", "y")
    assert answer.code == 2
    assert "leave --role item out" in answer.err


def test_a_trace_leads_up_to_events_and_down_to_what_is_live(platform, hier):
    up = answered(hier, "audit", "trace", "grocery")
    kinds = {a["kind"] for a in up["artifacts"]}
    assert kinds >= {"raw/events", "raw/links", "kg/graph", "pretrain/encoder", "finetune/model"}
    assert all(a["stores"] == ["sample"] for a in up["artifacts"])
    events = next(a for a in up["artifacts"] if (a["kind"], a["partition"]) == ("raw/events", "grocery"))
    down = answered(hier, "audit", "trace", events["digest"][:16], "--down")
    live = {v["domain"] for a in down["artifacts"] for v in a["versions"] if v["in_force"]}
    assert live == set(platform.config.target_names)
    shown = hier("audit", "trace", events["digest"], "--down", "--depth", 1)
    assert shown.code == 0, shown.err
    assert "kg/graph" in shown.out
    assert "pretrain/encoder" not in shown.out
    shown = hier("audit", "trace", events["digest"], "--down", "-n", 2)
    assert "● in force: " in shown.out
    assert "and 3 finetune/model more" in shown.out


def test_a_difference_is_shown_part_by_part(platform, hier):
    told = answered(hier, "audit", "diff", "grocery@1", "recipes")
    assert [a["title"] for a in told["artifacts"]] == [
        "publish/embeddings[recipes]",
        "finetune/model[recipes]",
    ]
    assert told["same"] == 3 + len(
        platform.config.domains
    )  # graph, encoder, links, and events of every domain
    shown = hier("audit", "diff", "grocery@1", "recipes", "-n", 3)
    assert shown.code == 0, shown.err
    assert "Report card (all users)" in shown.out
    assert "more rows (-n, --json)" in shown.out
    assert "Differ: domains (2). The same: data, code, parameters, seeds, environment" in shown.out
    assert "Differ: nothing" in hier("audit", "diff", "grocery", "grocery@1").out
    answer = hier("audit", "diff", "grocery", platform.registry.latest("kg/graph", None))
    assert answer.code == 2
    assert "different kinds" in answer.err


def test_the_impact_of_a_file_ends_at_live_versions(platform, hier):
    told = answered(hier, "audit", "impact", "logs/grocery.jsonl")
    assert [c["location"] for c in told["contents"]] == ["logs/grocery.jsonl"]
    assert {v["domain"] for v in told["versions"]} == set(platform.config.target_names)
    by_bytes = answered(hier, "audit", "impact", told["contents"][0]["sha256"][:12])
    assert by_bytes == told == answered(hier, "audit", "impact", platform.logs / "grocery.jsonl")
    gone = platform.data.parent / "elsewhere" / "logs" / "grocery.jsonl"
    assert hier("audit", "impact", gone).code == 2
    shown = hier("audit", "impact", "grocery.jsonl")
    assert shown.code == 0, shown.err
    assert "Versions made of this file: 5 in force, 0 earlier ones." in shown.out
    answer = hier("audit", "impact", "no/such/file.csv")
    assert answer.code == 2
    assert "give a location such as" in answer.err


def test_a_file_below_data_is_its_location_and_other_bytes_there_are_told(own, hier):
    file = own.logs / "grocery.jsonl"
    before = answered(hier, "audit", "impact", file, "--domains", own.domains)
    assert before["other_bytes"] is None
    file.write_text("{}\n")
    now = answered(hier, "audit", "impact", file, "--domains", own.domains)
    assert now["other_bytes"] == {"path": str(file), "sha256": digest_file(file)}
    assert now["contents"] == before["contents"]
    assert "has other bytes now" in hier("audit", "impact", file, "--domains", own.domains).out
    file.unlink()
    assert answered(hier, "audit", "impact", file, "--domains", own.domains) == before


def test_a_file_of_another_place_and_of_other_bytes_is_not_the_one_that_was_read(own, hier, tmp_path):
    other = tmp_path / "x" / "logs" / "grocery.jsonl"
    other.parent.mkdir(parents=True)
    other.write_text("{}\n")
    answer = hier("audit", "impact", other, "--domains", own.domains)
    assert answer.code == 2
    assert "others than any that were read" in answer.err
    assert "logs/grocery.jsonl" in answer.err


def test_platforms_that_share_a_registry_and_a_set_are_told_apart(own, hier):
    row = own.registry.alias("grocery")
    other = Registry(own.registry.url, platform="mall")
    other.move_alias(Move("grocery", "live", row.digest, "r", "w"))
    shown = hier("audit", "trace", row.digest, "--domains", own.domains)
    assert "grocery@1 (mall), grocery@1 (sample)" in shown.out
    (own.state / "mall" / "store").parent.mkdir()
    (own.state / "mall" / "store").symlink_to(own.home.store)
    answer = hier("audit", "leakage", row.digest)
    assert answer.code == 2
    assert "is an artifact of several platforms" in answer.err
    assert "--domains FILE" in answer.err
    assert hier("audit", "leakage", row.digest, "--domains", own.domains).code == 0
