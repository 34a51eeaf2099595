import json

import pytest

from hier_dag.errors import UsageError
from hier_dag.evaluate.gate import negative_transfer


def test_negative_where_the_whole_interval_of_the_gain_is_below_zero(report):
    facts = json.loads(json.dumps(negative_transfer(report, "cafe", ("popularity",), "3")))
    assert (facts["verdict"], facts["passed"], facts["baseline"]) == ("negative", False, "popularity")
    assert facts["low"] < facts["gain"] < facts["high"] < 0
    assert facts["sentence"].startswith("HIER is below popularity with 3 per user: NDCG@10 -0.2")


@pytest.mark.parametrize("shots", ["0", "1%"])
def test_a_win_and_a_tie_pass(report, shots):
    facts = negative_transfer(report, "cafe", None, shots)
    assert (facts["verdict"], facts["passed"]) == ("not negative", True)
    assert facts["high"] >= 0


def test_the_best_of_the_declared_baselines_is_compared(report):
    assert negative_transfer(report, "cafe", ("random",), "0")["baseline"] == "random"
    assert (
        negative_transfer(report, "cafe", ("random", "entity_profile"), "0")["baseline"] == "entity_profile"
    )
    assert negative_transfer(report, "cafe", None, "0")["baseline"] == "entity_profile"


def test_what_cannot_be_judged_passes_and_says_so(report):
    nothing = negative_transfer(report, "cafe", ("popularity",), "0")
    assert (nothing["verdict"], nothing["passed"], nothing["gain"]) == ("not judged", True, None)
    unknown = negative_transfer(report, "zoo", None, "0")
    assert "no test interaction" in unknown["sentence"]
    assert negative_transfer(report.slice(0, 0), "cafe", ("popularity",), "3")["verdict"] == "not judged"


def test_a_baseline_that_was_never_scored_is_told(report):
    with pytest.raises(UsageError, match=r"twinn.*popularity"):
        negative_transfer(report, "cafe", ("twinn",), "3")
