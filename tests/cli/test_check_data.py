"""`hier check --data` runs every contract on the logs, says all that is wrong, and commits nothing."""

import gzip
import json

import pyarrow.csv as pacsv
import pytest

from hier_dag.pipeline.stages import EVENTS


def checks(hier, platform, *, code=0):
    answer = hier("check", platform.domains, "--data", "--json")
    assert answer.code == code, answer.err
    return {(c["stage"], c["check"]): c for c in json.loads(answer.out)["checks"]}


def test_sound_logs_hold_every_contract_and_nothing_is_committed(fresh, hier):
    found = checks(hier, fresh)
    stages = {stage for stage, _ in found}
    assert {f"{EVENTS}[{d}]" for d in fresh.config.domains} < stages
    assert {"raw/links", "kg/graph"} < stages
    assert {c["outcome"] for c in found.values()} <= {"held", "warned"}
    assert found["kg/graph", "no_leakage"]["outcome"] == "held"
    assert not fresh.artifacts()
    assert fresh.registry.latest(EVENTS, "grocery") is None
    assert not list(fresh.home.scratch.glob("check-*"))


def test_every_domain_that_is_broken_is_named_at_once(fresh, hier):
    (fresh.logs / "recipes.csv.gz").write_bytes(gzip.compress(b"cook,recipe\n"))
    table = pacsv.read_csv(fresh.logs / "local_guide.csv")
    pacsv.write_csv(table.drop_columns(["place"]), fresh.logs / "local_guide.csv")
    found = checks(hier, fresh, code=1)
    refused = {stage for (stage, _), c in found.items() if c["outcome"] == "refused"}
    assert refused == {f"{EVENTS}[recipes]", f"{EVENTS}[local_guide]"}
    assert "place" in found[f"{EVENTS}[local_guide]", "contract"]["message"]
    assert found[f"{EVENTS}[local_guide]", "contract"]["fix"]
    assert found["kg/graph", "contract"]["outcome"] == "blocked"
    code, out, _ = hier("check", fresh.domains, "--data")
    assert code == 1
    assert "✗" in out
    assert "local_guide" in out
    assert "Nothing was committed" in out


def test_what_was_accepted_before_is_reused_and_compared_with(own, hier):
    found = checks(hier, own)
    assert found["kg/graph", "contract"]["facts"]["reused"] is True
    before = own.artifacts()
    with (own.logs / "local_guide.csv").open("a") as f:
        f.write("\n")
    found = checks(hier, own)
    assert found[f"{EVENTS}[local_guide]", "contract"]["facts"]["reused"] is False
    assert found[f"{EVENTS}[grocery]", "contract"]["facts"]["reused"] is True
    assert own.artifacts() == before


@pytest.mark.parametrize(
    ("level", "check", "outcome"),
    [("block", "expectations", "refused"), ("warn", "expectations_warned", "warned")],
)
def test_bounds_that_were_tightened_judge_what_was_accepted_under_others(own, hier, level, check, outcome):
    bound = f"    expectations: {{rows: {{min: 1000000, level: {level}}}}}\n"
    text = own.domains.read_text()
    own.domains.write_text(text.replace("  grocery:\n", f"  grocery:\n{bound}", 1))
    found = checks(hier, own, code=int(outcome == "refused"))
    assert found[f"{EVENTS}[grocery]", "contract"]["facts"]["reused"] is True
    told = found[f"{EVENTS}[grocery]", check]
    assert told["outcome"] == outcome
    assert "expected at least 1e+06" in told["message"]
    others = {c["outcome"] for (stage, name), c in found.items() if name == check and "grocery" not in stage}
    assert others == {"held"}
