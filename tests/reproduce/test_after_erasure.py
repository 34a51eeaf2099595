"""What an erasure took away is no longer there to build from, and nobody is told that something is broken."""

import json
import shutil

import pyarrow.parquet as pq

from hier_dag.audit.bundle import verify
from hier_dag.pipeline.stages import MODEL, PUBLISHED

TARGET = "grocery"


def test_a_set_that_an_erasure_made_is_as_given_and_its_bundle_agrees_with_the_store(own, hier, tmp_path):
    before = own.registry.latest(PUBLISHED, TARGET)
    user = pq.read_table(own.latest(PUBLISHED, TARGET).file("users.parquet"))["user_id"][0].as_py()
    assert hier("forget", user, "--why", "a request", "--domains", own.domains).code == 0
    live = own.registry.alias(TARGET).digest
    assert not own.store.has(PUBLISHED, before)
    done = hier("reproduce", live, "--deep", "--json")
    assert done.code == 0, done.err
    (made,) = json.loads(done.out)
    assert made["verdict"] == "as given"
    assert hier("audit", "bundle", TARGET, "--out", tmp_path / "x.zip").code == 0
    assert verify.main([str(tmp_path / "x.zip"), "--store", str(own.home.store)]) == 0
    model = own.store.path_of(MODEL, own.registry.latest(MODEL, TARGET))
    shutil.move(model, tmp_path / "model")
    assert verify.main([str(tmp_path / "x.zip"), "--store", str(own.home.store)]) == 1


def test_an_ancestor_that_is_gone_is_named(own, hier):
    made = own.latest(PUBLISHED, TARGET)
    shutil.rmtree(own.store.path_of(MODEL, made.manifest.parents["model"]))
    done = hier("reproduce", made.digest, "--deep")
    assert done.code == 1
    assert (
        f"{MODEL} {made.manifest.parents['model'][:12]}, which it was made of, is stored no more" in done.err
    )
    assert "backup" in done.err
