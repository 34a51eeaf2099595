"""`hier audit verify` where files and folders cannot be read: each is named, and the rest is verified."""

import json

import pytest

from hier_dag.pipeline.outbox import PENDING
from hier_dag.pipeline.stages import ENCODER, EVENTS, GRAPH, PUBLISHED
from tests.databases import of_sqlite
from tests.denied import denied

pytestmark = of_sqlite

PLACES = {
    "a file": lambda own: max(own.latest(GRAPH).path.glob("*.*")),
    "a manifest": lambda own: own.latest(GRAPH).path / "manifest.json",
    "an artifact": lambda own: own.latest(GRAPH).path,
    "a folder of an artifact": lambda own: next(
        p for p in own.latest(EVENTS, "grocery").path.iterdir() if p.is_dir()
    ),
    "a kind": lambda own: own.latest(GRAPH).path.parent,
    "a group of kinds": lambda own: own.latest(GRAPH).path.parent.parent,
    "all artifacts": lambda own: own.home.store / "artifacts",
    "the notes": lambda own: own.home.store / PENDING,
    "a note": lambda own: own.home.store / PENDING / f"{'a' * 64}-1.json",
    "a domain's records": lambda own: own.home.live / "grocery",
    "a record": lambda own: own.record("grocery"),
    "all records": lambda own: own.home.live,
}


@pytest.mark.parametrize("where", PLACES)
def test_what_cannot_be_read_is_named_beside_everything_else(own, hier, where):
    (own.home.store / PENDING).mkdir(exist_ok=True)
    (own.home.store / PENDING / f"{'a' * 64}-1.json").write_text("{}")
    path = PLACES[where](own)
    stranger = own.home.store / "artifacts" / EVENTS / "stranger"
    stranger.touch()
    with denied(path):
        answer = hier("audit", "verify", "--domains", own.domains, "--fast", "--json")
    found = json.loads(answer.out)
    told = [p for p in found["problems"] if p["file"] and p["file"].startswith(str(path))]
    assert answer.code == 1
    if where == "a file":  # whose bytes are not looked at
        assert told == []
    else:
        assert any("cannot be read" in p["found"] for p in told), found["problems"]
    assert len(told) == len({json.dumps(p) for p in told})
    assert found["events"] == own.registry.head().seq
    if where != "all artifacts":
        assert str(stranger) in {p["file"] for p in found["problems"]}
    assert not {"lost", "orphan", "chain", "registry"} & {p["what"] for p in found["problems"]}


def test_the_proofs_of_other_sets_go_on(own, hier):
    path = own.latest(PUBLISHED, "grocery").path / "manifest.json"
    with denied(path, largest := max(own.latest(ENCODER).path.glob("*.*"))):
        answer = hier("audit", "verify", "--domains", own.domains)
    assert answer.code == 1
    assert "Traceback" not in answer.err
    assert f"file {largest}" in answer.err
    assert "grocery" in answer.err
    assert f"file {path}" in answer.err
