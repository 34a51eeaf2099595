"""What differs between two sets: data, code, parameters, seeds, environment, metrics, versions, decisions."""

import json
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.errors import StoreError, UsageError
from hier_dag.evaluate.records import RECORD_SCHEMA
from hier_dag.lineage.difference import difference
from hier_dag.lineage.dotted import ABSENT, Change
from hier_dag.lineage.reference import named


def ledger(entries, file):
    told = [{"location": at, "sha256": sha, "rows_in": n, "rows_out": n - 1} for at, sha, n in entries]
    file.write_text(json.dumps({"files": told}))


def card(value, file):
    row = {
        "domain": "cafe", "setting": "few_shot", "shots": "1", "model": "hier", "variant": "v",
        "slice": "all", "metric": "ndcg", "k": 10, "value": value, "low": value - 0.1,
        "high": value + 0.1, "users": 9, "seeds": 1,
    }  # fmt: skip
    rows = [row, {**row, "slice": "cold", "value": 9.0}, {**row, "model": "popularity"}]
    pq.write_table(pa.Table.from_pylist(rows, schema=RECORD_SCHEMA), file)


def published(works, files, value, *, code="1", domain="cafe", **params):
    """A set of a domain with a ledger of its files and a report card."""
    write = {"ledger.json": partial(ledger, files)}
    events = works.make("raw/events", domain, inputs=[f[:2] for f in files], files=write, code_version=code)
    graph = works.make("kg/graph", None, {"events:cafe": events, "links": works.make("raw/links")})
    report = {"report.parquet": partial(card, value)}
    model = works.make("finetune/model", domain, {"graph": graph}, files=report, seeds=[1], params=params)
    made = works.make(
        "publish/embeddings", domain, {"model": model, "graph": graph}, seeds=[params.get("n", 0)]
    )
    works.publish(domain, made)
    return model


@pytest.fixture
def two(works):
    published(works, [("a.csv", "1" * 64, 10), ("b.csv", "2" * 64, 20)], 0.3, head={"w": 1}, n=0)
    model = published(
        works, [("b.csv", "3" * 64, 25), ("c.csv", "4" * 64, 5)], 0.5, code="2", head={"w": 2}, n=1
    )
    works.registry.decide("cafe", "waiver", model, why="a launch")
    works.registry.decide("cafe", "waiver", "9" * 64, why="of another model")
    return works


def compared(works, one="cafe@1", other="cafe@2"):
    return difference(works.registry, works.stores, named(works.registry, one), named(works.registry, other))


def test_everything_that_differs_is_told_and_nothing_else(two):
    found = compared(two)
    assert [p.title for p in found.pairs] == [
        "publish/embeddings[cafe]", "finetune/model[cafe]", "kg/graph", "raw/events[cafe]",
    ]  # fmt: skip
    assert found.same == 1  # the links
    assert [(f.location, f.change, f.rows_in, f.rows_out) for f in found.files] == [
        ("a.csv", "removed", (10, None), (9, None)),
        ("b.csv", "changed", (20, 25), (19, 24)),
        ("c.csv", "added", (None, 5), (None, 4)),
    ]
    by_title = {p.title: p for p in found.pairs}
    assert by_title["finetune/model[cafe]"].parameters == [Change("head.w", 1, 2), Change("n", 0, 1)]
    assert by_title["publish/embeddings[cafe]"].seeds == ([0], [1])
    assert by_title["finetune/model[cafe]"].seeds is None
    events = by_title["raw/events[cafe]"]
    assert (events.before.code_version, events.after.code_version) == ("1", "2")
    assert found.environment == []
    ours = [(m.metric, m.k, round(m.difference, 6)) for m in found.metrics if m.ours]
    assert ours == [("ndcg", 10, 0.2)]
    assert [[v.version for v in side] for side in found.versions] == [[1], [2]]
    assert [[d.why for d in side] for side in found.decisions] == [[], ["a launch"]]


def test_a_set_does_not_differ_from_itself(two):
    found = compared(two, "cafe@1", "cafe@1")
    assert (found.pairs, found.files, found.environment, found.metrics) == ([], [], [], [])
    assert found.same == 5


def test_what_is_gone_from_the_store_is_compared_by_the_registry_alone(two):
    whole = compared(two)
    two.stores.clear()
    found = compared(two)
    assert [p.parameters for p in found.pairs] == [p.parameters for p in whole.pairs]
    assert [(f.location, f.sha256, f.rows_in) for f in found.files] == [
        (f.location, f.sha256, (None, None)) for f in whole.files
    ]
    assert found.metrics == []


def test_a_damaged_report_card_is_not_compared(two):
    (one, *_) = sorted(two.store.root.glob("artifacts/finetune/model/*/report.parquet"))
    data = bytearray(one.read_bytes())
    data[len(data) // 2] ^= 1
    one.write_bytes(data)
    with pytest.raises(StoreError, match="does not match its digest"):
        compared(two)


def test_environments_are_compared_by_what_was_installed(two, monkeypatch):
    from hier_dag.registry import log

    monkeypatch.setattr(
        log, "environment", lambda: {"python": "3.12.1", "distributions": ["numpy==9", "new==1"]}
    )
    monkeypatch.setattr(log, "environment_digest", lambda: "e" * 64)
    two.make("kg/graph", params={"n": 1}, environment="e" * 64)
    two.make("kg/graph", params={"n": 2})
    graphs = [
        r for r in two.registry.events(kinds=("artifact",)) if r.body["manifest"]["kind"] == "kg/graph"
    ][-2:]
    found = compared(two, graphs[1].body["digest"], graphs[0].body["digest"])
    told = {c.key: c.after for c in found.environment}
    assert told["python"] == "3.12.1"
    assert (told["numpy"], told["new"], told["pyarrow"]) == ("9", "1", ABSENT)
    unknown = two.make("kg/graph", params={"n": 3}, environment="f" * 64)
    found = compared(two, graphs[1].body["digest"], unknown)
    assert [(c.key, c.after) for c in found.environment] == [("digest", "f" * 64)]


def test_sets_of_two_domains_are_paired_and_kinds_are_not(two):
    published(two, [("b.csv", "3" * 64, 25)], 0.1, domain="bar")
    found = compared(two, "cafe@2", "bar@1")
    assert "finetune/model[bar]" in [p.title for p in found.pairs]
    assert {p.title for p in found.pairs if p.before is None or p.after is None} == {
        "raw/events[cafe]", "raw/events[bar]",
    }  # fmt: skip
    with pytest.raises(UsageError, match="different kinds"):
        compared(two, "cafe@1", two.make("raw/links")[:20])


def test_it_is_all_json(two):
    told = json.loads(json.dumps(compared(two).as_json()))
    assert told["before"]["version"] == 1
    assert told["artifacts"][0]["before"]["digest"] == told["before"]["digest"]
    assert told["metrics"][0]["difference"] == pytest.approx(0.2)
