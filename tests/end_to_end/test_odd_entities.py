"""Targets that share no entity with anyone, or have none at all, still finish with an honest report."""

import json

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from hier_dag.evaluate.card import card_markdown
from hier_dag.transfer.save import load_vectors

BARE, ALONE = "grocery", "recipes"


@pytest.fixture
def odd(fresh):
    """The sample platform; one target's items have lost their links, another's entities are its own."""
    graph = {name: _items(fresh, name) for name in (BARE, ALONE)}
    file = fresh.data / "links" / "item_entity.parquet"
    links = pq.read_table(file)
    links = links.filter(pc.invert(pc.is_in(links["item_id"], graph[BARE])))
    own = pc.is_in(links["item_id"], graph[ALONE])
    renamed = pc.binary_join_element_wise("own", links["entity_id"], ":")
    at = links.schema.get_field_index("entity_id")
    pq.write_table(links.set_column(at, "entity_id", pc.if_else(own, renamed, links["entity_id"])), file)
    return fresh


def _items(platform, domain):
    truth = pq.read_table(platform.data / "truth" / "item_exemplars.parquet")
    return truth.filter(pc.equal(truth["domain"], domain))["item_id"].combine_chunks()


def test_both_targets_are_published_with_figures_and_a_verdict(odd, hier):
    outcomes = odd.outcomes(only=[BARE, ALONE])
    assert set(outcomes.values()) == {"made"}, outcomes
    for domain in (BARE, ALONE):
        vectors = load_vectors(odd.latest("finetune/model", domain).path)
        for array in (vectors.user_vectors, vectors.item_vectors):
            assert np.isfinite(array).all()
            assert array.any(axis=1).all()
        records = pq.read_table(odd.latest("finetune/model", domain).file("report.parquet"))
        shots = set(records.filter(pc.equal(records["model"], "hier"))["shots"].to_pylist())
        assert {"0", "1"} <= shots
        card = card_markdown(records, domain)
        assert "zero-shot" in card.split("\n")[2], "the verdict speaks of zero-shot"
    answer = hier("report", "--json")
    assert answer.code == 0
    assert {BARE, ALONE} <= {r["domain"] for r in json.loads(answer.out)}
