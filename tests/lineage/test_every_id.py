"""Every published id of the sample platform leads to raw rows: all of those that carry it, and no others."""

import pandas as pd
import pyarrow.dataset as ds
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hier_dag.cli.places import live_of
from hier_dag.lineage.why import Lineage, why
from hier_dag.pipeline.stages import EVENTS

ROLES = ("user", "item")


@pytest.fixture(scope="module")
def lineages(finished):
    """Lineage of every live set, by domain."""
    return {
        domain: Lineage(finished.store, finished.registry, live_of(finished.home, domain))
        for domain in finished.config.target_names
    }


@pytest.fixture(scope="module")
def counted(finished):
    """Events by role, id and SHA-256 of the raw file, counted by pandas over every domain."""
    tables = []
    for domain in finished.config.domains:
        artifact = finished.latest(EVENTS, domain)
        if files := artifact.files("events/"):
            table = ds.dataset(files).to_table(["user_id", "item_id", "file", "row"]).to_pandas()
            digests = [f["sha256"] for f in artifact.json("ledger.json")["files"]]
            tables.append(table.assign(sha256=[digests[n] for n in table["file"]]))
    events = pd.concat(tables)
    return {role: events.groupby([f"{role}_id", "sha256"]).size().to_dict() for role in ROLES}


def test_every_id_leads_to_every_row_that_carries_it(lineages, counted):
    ids = 0
    for lineage in lineages.values():
        for role in ROLES:
            wanted = lineage.ids(role)
            found = list(lineage.of(wanted, role))
            assert [w.id for w in found] == wanted
            for one in found:
                assert one.raw, f"{role} {one.id} of {one.domain} leads nowhere"
                events = {r["sha256"]: r["rows"] for r in one.raw if r["feeds"] == "events"}
                assert events == {sha: n for sha in events if (n := counted[role][one.id, sha])}
                assert all(len(r["row_numbers"]) == min(r["rows"], 20) for r in one.raw)
            carried = {(one.id, r["sha256"]) for one in found for r in one.raw if r["feeds"] == "events"}
            assert carried == {key for key in counted[role] if key[0] in set(wanted)}
            ids += len(found)
    assert ids > 1_500


def test_every_id_is_explained_in_full(lineages):
    for lineage in lineages.values():
        (one,) = lineage.of(lineage.ids("user")[:1], "user")
        kinds = {a["kind"] for a in one.artifacts}
        assert kinds >= {"publish/embeddings", "finetune/model", "pretrain/encoder", "kg/graph", EVENTS}
        assert all(a["params"] and a["code_commit"] and a["run_id"] in one.runs for a in one.artifacts)
        assert one.release["event"]
        assert {g["name"] for g in one.release["gates"]} == {"transfer_gate", "space_contract"}
        assert one.leakage["kg/graph"]["in_both"] == 0
        assert one.leakage["pretrain/encoder"]["in_held_out"] == 0
        assert (
            sum(one.leakage["finetune/model"]["pairs"].values()) == one.leakage["kg/graph"]["domain"]["edges"]
        )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_one_id_alone_is_explained_as_among_all(lineages, finished, data):
    domain = data.draw(st.sampled_from(sorted(lineages)))
    lineage, role = lineages[domain], data.draw(st.sampled_from(ROLES))
    wanted = data.draw(st.sampled_from(lineage.ids(role)))
    alone = why(finished.store, finished.registry, lineage.live, wanted, role)
    (among,) = (w for w in lineage.of(lineage.ids(role), role) if w.id == wanted)
    assert alone == among
