"""Requests: everything that decides an artifact is in its key, nothing that is secret."""

import json

import pytest

from hier_dag.config import PlatformConfig
from hier_dag.digest import canonical_json
from hier_dag.ingest.sql import location
from hier_dag.pipeline.requests import events_request, links_request


@pytest.fixture
def declared(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.csv").write_text(f"user_id,item_id\nu{name},i\n")
    (tmp_path / "links.csv").write_text("item_id,entity_id\ni,e\n")

    def make(sources=({"path": "a.csv"},), stages=None, links=None):
        domains = {
            "shop": {"role": "source", "sources": list(sources)},
            "cafe": {"role": "target", "sources": {"path": "a.csv"}},
        }
        return PlatformConfig.model_validate(
            {
                "platform": "p", "data": str(tmp_path), "domains": domains, "stages": stages or {},
                "links": links or {"item_entity": {"path": "links.csv"}},
            }
        )  # fmt: skip

    return make


def test_a_file_that_moves_to_another_source_is_another_request(declared):
    def globs(one, two):
        sources = [{"path": one, "behavior": "view"}, {"path": two, "behavior": "order"}]
        return events_request(declared(sources), "shop").key

    assert globs("[ab].csv", "[c].csv") != globs("[a].csv", "[bc].csv")


@pytest.mark.parametrize("rule", [{"max_id_length": 2}, {"max_quarantined": 0.5}])
def test_the_rules_that_links_are_judged_by_are_in_their_request(declared, rule):
    assert links_request(declared()).key != links_request(declared(stages={"ingest": rule})).key


def test_training_parameters_do_not_ask_for_another_ingest(declared):
    other = declared(stages={"pretrain": {"dim": 8}})
    assert events_request(declared(), "shop").key == events_request(other, "shop").key
    assert links_request(declared()).key == links_request(other).key


def test_terms_of_use_are_words_about_the_data_and_make_nothing_anew(declared):
    told = declared([{"path": "a.csv", "terms": "research only"}])
    links = declared(links={"item_entity": {"path": "links.csv", "terms": "CC BY 4.0"}})
    assert events_request(told, "shop").key == events_request(declared(), "shop").key
    assert links_request(links).key == links_request(declared()).key


def test_no_secret_of_a_url_reaches_a_request(declared, tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / "l.sqlite") as database:
        database.execute("create table links (item_id text, entity_id text)")
    url = "sqlite:///l.sqlite?token=s3cret"
    request = links_request(declared(links={"item_entity": {"sql": url, "table": "links"}}))
    shown = canonical_json({"params": request.params, "inputs": request.inputs}).decode()
    assert "s3cret" not in shown
    assert json.loads(shown)["inputs"][0]["location"] == "sqlite:///l.sqlite#links"
    server = declared(links={"item_entity": {"sql": "postgresql://joe:s3cret@h/d?key=s3cret", "table": "t"}})
    assert location(server.links.item_entity[0]) == "postgresql://joe:***@h/d#t"
