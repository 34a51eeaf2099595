"""The next run trains without whom the platform forgot; what held them goes, and nothing is made twice."""

import json
import re

from benchmarks.faults.erasure import in_force, oracle
from hier_dag.publish.reader import open_set


def told_of_files(hier, target, user):
    """What `hier why` says of the rows of each raw file that a user of a target is in: as data, as text."""
    said = json.loads(hier("why", target, user, "--json").out)
    text = re.sub(r"[│\s]+", " ", hier("why", target, user).out)
    return [rows["of_the_file"] for rows in said["raw"]], text


def test_a_run_retrains_and_afterwards_nothing_stored_holds_them(own, hier):
    target = "recipes"
    (batch,) = open_set(own.home.root, target).users(["user_id"])
    *users, other = batch["user_id"].to_pylist()[:5]
    old = own.registry.latest("finetune/model", target)
    receipt = json.loads(hier("forget", *users, "--why", "w", "--json").out)["receipt"]
    outcomes = own.outcomes(only=[target])
    assert outcomes[f"finetune/model + publish/embeddings[{target}]"] == "made"
    assert set(own.outcomes(only=[target]).values()) == {"reused"}
    assert open_set(own.home.root, target).version == 3
    assert in_force(own.home.root, users) == 0
    files, text = told_of_files(hier, target, other)
    gone = [file["erased"] for file in files if "erased" in file]
    assert gone
    assert all(f"{n:,} of erased users" in text for n in gone)
    stale = json.loads(hier("forget", "--finish", "--json").out)["stale"]
    assert {s["kind"] for s in stale} == {"finetune/model", "publish/embeddings"}
    assert target not in {s["partition"] for s in stale}
    left = {digest for of in oracle(own.home.store, users).values() for digest in of}
    assert old not in left
    assert receipt["artifacts"], (
        "what the other targets were made of is their evidence until they are trained"
    )
    assert hier("audit", "verify").code == 0
    assert hier("forget", "--verify", receipt["id"]).code == 0


def test_what_stays_for_a_further_alias_is_told_and_goes_with_it(own, hier):
    target = "recipes"
    (batch,) = open_set(own.home.root, target).users(["user_id"])
    user = batch["user_id"][0].as_py()
    assert hier("forget", user, "--why", "w").code == 0
    assert hier("alias", target, "canary", "--to", "2", "--why", "w").code == 0
    old = own.registry.latest("finetune/model", target)
    own.outcomes()
    done = hier("forget", "--finish", "--json")
    kept = json.loads(done.out)["kept"]
    assert ("finetune/model", target, old) in {(k["kind"], k["partition"], k["digest"]) for k in kept}
    assert {(k["domain"], k["alias"]) for k in kept} == {(target, "canary")}
    assert "what canary of recipes names was made of it" in hier("forget", "--status").out
    assert hier("alias", target, "canary", "--to", "3", "--why", "w").code == 0
    assert json.loads(hier("forget", "--finish", "--json").out)["kept"] == []
    assert not own.store.has("finetune/model", old)
