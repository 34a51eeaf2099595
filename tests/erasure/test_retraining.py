"""The next run trains without whom the platform forgot; what held them goes, and nothing is made twice."""

import json

from benchmarks.faults.erasure import in_force, oracle
from hier_dag.publish.reader import open_set


def test_a_run_retrains_and_afterwards_nothing_stored_holds_them(own, hier):
    target = "recipes"
    (batch,) = open_set(own.home.root, target).users(["user_id"])
    users = batch["user_id"].to_pylist()[:4]
    receipt = json.loads(hier("forget", *users, "--why", "w", "--json").out)["receipt"]
    outcomes = own.outcomes(only=[target])
    assert outcomes[f"finetune/model + publish/embeddings[{target}]"] == "made"
    assert set(own.outcomes(only=[target]).values()) == {"reused"}
    live = open_set(own.home.root, target)
    assert live.version == 3
    assert live.space == open_set(own.home.root, target, version=2).space
    assert in_force(own.home.root, users) == 0
    stale = json.loads(hier("forget", "--finish", "--json").out)["stale"]
    assert {s["kind"] for s in stale} == {"finetune/model", "publish/embeddings"}
    assert target not in {s["partition"] for s in stale}
    left = {digest for of in oracle(own.home.store, users).values() for digest in of}
    stored = own.home.store.glob("artifacts/*/*/*/manifest.json")
    kinds = {p.parts[-3] for p in stored if p.parts[-2] in left}
    assert kinds <= {"model", "embeddings"}, "of the targets that were not run"
    assert hier("forget", "--verify", receipt["id"]).code == 0
    assert hier("audit", "verify").code == 0
