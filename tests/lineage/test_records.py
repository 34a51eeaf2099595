"""Records of many artifacts and their checks are asked for together, however many they are."""

import pytest
from sqlalchemy import event

from hier_dag.errors import StoreError
from hier_dag.lineage.chain import chain_of
from hier_dag.lineage.records import known, results_of
from hier_dag.registry import CheckRow


def test_a_record_is_the_one_that_the_registry_has(works):
    made = [works.make("raw/events", name, inputs=[(f"{name}.csv", "a" * 64)]) for name in ("cafe", "books")]
    assert works.registry.read(lambda s: known(s, made)) == {d: works.registry.artifact(d) for d in made}


def test_an_artifact_that_is_on_no_record_is_named(works):
    made = works.make("raw/events", "cafe")
    with pytest.raises(StoreError, match="does not know artifact 000000000000"):
        works.registry.read(lambda s: known(s, [made, "0" * 64]))


def test_results_come_oldest_first_and_an_artifact_without_checks_has_none(works):
    asked, quiet = (works.make("raw/events", name) for name in ("cafe", "books"))
    artifact = works.store.open("raw/events", asked)
    works.registry.note_checks(artifact, [CheckRow("b", True), CheckRow("a", False)], run_id="r")
    works.registry.note_checks(artifact, [CheckRow("b", False)], run_id="r")
    told = works.registry.read(lambda s: results_of(s, [quiet, asked]))
    names = [(c["name"], c["passed"]) for c in told[asked]]
    assert names == [("b", True), ("a", False), ("b", False)]
    assert told[quiet] == []


def test_a_long_chain_takes_no_more_queries_than_a_short_one(works):
    def queries(domains):
        events = {f"events:{d}": works.make("raw/events", d) for d in domains}
        graph, asked = works.make("kg/graph", None, events), []
        listen = (works.registry._engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
        event.listen(*listen)
        chain = chain_of(works.registry, graph)
        event.remove(*listen)
        assert len(chain) == 1 + len(domains)
        return len(asked)

    assert queries(["cafe"]) == queries([f"domain_{n}" for n in range(12)])
