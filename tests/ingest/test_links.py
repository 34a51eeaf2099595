"""Shared tables: each row is kept, merged with its equal, or quarantined; all six files are always there."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from hier_dag.config.models import PlatformConfig
from hier_dag.errors import ContractError
from hier_dag.ingest.connection import connect
from hier_dag.ingest.links import KINDS, ingest_links, link_inputs
from schemas.links import LINK_CONTRACTS
from schemas.validate import validate
from tests.ingest.helpers import refused, write


def config(folder, links, **params):
    write(folder / "catalogue.csv", [{"item_id": "i1"}, {"item_id": "i1"}, {"item_id": "i9"}])
    source = {"role": "source", "sources": {"path": "x.csv"}}
    target = {"role": "target", "audience": "platform", "catalogue": {"path": "catalogue.csv"}}
    domains = {"shop": source, "zoo": target, "bar": target}
    ingest = {"max_quarantined": 1.0, **params}
    return PlatformConfig.model_validate(
        {
            "platform": "t",
            "data": str(folder),
            "domains": domains,
            "links": links,
            "stages": {"ingest": ingest},
        }
    )


def run(platform, out):
    out.mkdir()
    with connect(out.parent / "scratch", threads=1) as con:
        return ingest_links(platform, link_inputs(platform), out, con=con)


def table(out, kind):
    """Rows of a table, without the place that each came from."""
    return [tuple(r.values())[:-2] for r in pq.read_table(out / f"{kind}.parquet").to_pylist()]


def places(out, kind):
    """(file, row) of every row of a table."""
    return [tuple(r.values())[-2:] for r in pq.read_table(out / f"{kind}.parquet").to_pylist()]


def test_every_kind_of_link(tmp_path):
    write(
        tmp_path / "ie.csv",
        [{"item": "i1", "cat": "c1"}, {"item": "i1", "cat": "c1"}, {"item": "", "cat": "c"}],
    )
    write(
        tmp_path / "more.parquet",
        [{"item_id": "i1", "entity_id": "c1"}, {"item_id": "i2", "entity_id": "c1"}],
    )
    write(tmp_path / "ee.jsonl", [{"h": "a", "t": "b", "r": "part_of"}, {"h": "a", "t": "b", "r": None}])
    edges = [("b", "a"), ("a", "b"), ("c", "c"), ("a", "c")]
    write(tmp_path / "uu.csv.gz", [{"user_id": u, "other_id": o} for u, o in edges])
    write(
        tmp_path / "names.csv",
        [{"id": "c1", "name": "Bars"}, {"id": "c1", "name": "Pubs"}, {"id": "c2", "name": ""}],
    )
    links = {
        "item_entity": [{"path": "ie.csv", "item_id": "item", "entity_id": "cat"}, {"path": "more.parquet"}],
        "entity_entity": {"path": "ee.jsonl", "head": "h", "tail": "t", "relation_column": "r"},
        "user_user": {"path": "uu.csv.gz"},
        "entity_names": {"path": "names.csv", "id": "id"},
    }
    ledger = run(config(tmp_path, links), tmp_path / "out")
    assert table(tmp_path / "out", "item_entity") == [("i1", "c1", "has_entity"), ("i2", "c1", "has_entity")]
    assert places(tmp_path / "out", "item_entity") == [(0, 1), (1, 2)]
    assert table(tmp_path / "out", "entity_entity") == [("a", "part_of", "b")]
    assert table(tmp_path / "out", "user_user") == [("a", "b", "knows"), ("a", "c", "knows")]
    assert table(tmp_path / "out", "entity_names") == [("c1", "Bars")]
    assert table(tmp_path / "out", "item_names") == []
    assert table(tmp_path / "out", "catalogue") == [(d, i) for d in ("zoo", "bar") for i in ("i1", "i9")]
    assert ledger.quarantined == {"null_item": 1, "null_name": 1, "null_relation": 1, "self_edge": 1}
    assert ledger.deduplicated == 1 + 1 + 1 + 1 + 2
    assert ledger.rows_in == 5 + 2 + 4 + 3 + 6
    assert (3, "self_edge", "other_id") in refused(tmp_path / "out")


def test_the_written_tables_meet_their_contracts(tmp_path):
    write(tmp_path / "uu.csv", [{"user_id": f"u{n % 5}", "other_id": f"u{n % 3}"} for n in range(20)])
    run(config(tmp_path, {"user_user": {"path": "uu.csv"}}), tmp_path / "out")
    with connect(tmp_path / "scratch") as con:
        for kind in KINDS:
            written = con.read_parquet(str(tmp_path / "out" / f"{kind}.parquet"))
            assert validate(written, LINK_CONTRACTS[kind], name=kind) == []


def test_self_edges_do_not_refuse_but_damage_does(tmp_path):
    write(tmp_path / "uu.csv", [{"user_id": "u", "other_id": "u"}] * 30)
    platform = config(tmp_path, {"user_user": {"path": "uu.csv"}}, max_quarantined=0.05)
    assert run(platform, tmp_path / "a").quarantined == {"self_edge": 30}
    write(tmp_path / "uu.csv", [{"user_id": f"u{n}", "other_id": None} for n in range(30)])
    with pytest.raises(ContractError, match="null_user: 30") as caught:
        run(platform, tmp_path / "b")
    assert caught.value.domain is None
    assert "map `user_id` and `other_id`" in caught.value.fix
    assert "raise `stages.ingest.max_quarantined`" in caught.value.fix


def test_a_refused_catalogue_names_its_domain_and_the_keys_that_it_has(tmp_path):
    platform = config(tmp_path, {}, max_quarantined=0.05, max_quarantined_by_reason={"null_item": 0.01})
    write(tmp_path / "catalogue.csv", [{"item_id": f"i{n}" if n else ""} for n in range(50)])
    with pytest.raises(ContractError, match="null_item: 1") as caught:
        run(platform, tmp_path / "out")
    error = caught.value
    assert (error.domain, error.file, error.column) == ("zoo", "catalogue.csv", "item_id")
    assert "map `item_id`" in error.fix
    assert "columns.item_id" not in error.fix
    assert "raise `stages.ingest.max_quarantined_by_reason.null_item`" in error.fix
    assert error.fix.endswith("hier quarantine show links")
