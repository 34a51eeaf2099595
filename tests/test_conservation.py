"""Nothing disappears between two stages without a reason that is counted."""

import json

import pytest

from hier_dag.conservation import Flow, agree, flows_of, write_flows
from hier_dag.errors import ContractError, StoreError

SPLIT = Flow("pairs → split", "pairs", 10, {"training": 6, "test": 3}, {"held_out_elsewhere": 1}, "food")


def test_a_ledger_reads_back_as_it_was_written(tmp_path):
    flows = [SPLIT, Flow("events → pairs", "events", 12, {"pairs": 10}, {"repeated_pair": 2, "none": 0})]
    write_flows(flows, tmp_path)
    back = flows_of(json.loads((tmp_path / "ledger.json").read_bytes()))
    assert back == [SPLIT, Flow("events → pairs", "events", 12, {"pairs": 10}, {"repeated_pair": 2})]


@pytest.mark.parametrize("entered", [9, 11])
def test_a_row_lost_or_made_up_stops_the_stage(tmp_path, entered):
    broken = Flow("pairs → split", "pairs", entered, SPLIT.left, SPLIT.lost, "food")
    with pytest.raises(ContractError, match=f"domain food: .*{entered} in, but 6 training"):
        write_flows([SPLIT, broken], tmp_path)
    assert not (tmp_path / "ledger.json").exists()


def test_what_leaves_a_stage_enters_the_next():
    agree([SPLIT, Flow("pairs → split", "pairs", 5, {"training": 5}, domain="food")], {"food": 15}, "pairs")
    for expected in ({"food": 9}, {}, {"food": 10, "books": 1}):
        with pytest.raises(ContractError, match="events → split"):
            agree([SPLIT], expected, "events → split")


def test_another_file_is_no_ledger():
    with pytest.raises(StoreError, match="not a ledger"):
        flows_of({"rows": 3})
