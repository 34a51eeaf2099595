"""`hier audit verify`: what the pipeline made is sound; each wrong thing is named, all of them at once."""

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from hier_dag.audit.verify import verify
from hier_dag.errors import RegistryError
from hier_dag.graph.files import load_graph
from hier_dag.graph.knowledge_graph import TEST
from hier_dag.pipeline.stages import ENCODER, EVENTS, GRAPH, LINKS, PUBLISHED
from hier_dag.progress import listening
from hier_dag.publish.aliases import AliasRecords, record_of
from hier_dag.registry import Move
from hier_dag.registry.anchors import append_anchor
from hier_dag.registry.chain import Head
from hier_dag.store import Manifest
from tests.audit.test_leakage import add_edge, resigned
from tests.databases import of_sqlite


@pytest.fixture
def asked(hier, own):
    def ask(*options):
        answer = hier("audit", "verify", "--domains", own.domains, "--json", *options)
        return answer.code, json.loads(answer.out)

    return ask


def flip(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))


def largest(artifact):
    return artifact.path / max(artifact.manifest.files, key=lambda entry: entry.bytes).path


def test_what_the_pipeline_made_is_sound(platform, hier, tmp_path):
    anchors = tmp_path / "anchors.jsonl"
    append_anchor(anchors, platform.registry.head())
    answer = hier("audit", "verify", "--anchor", anchors)
    assert (answer.code, answer.err) == (0, "")
    assert "Sound." in answer.out
    found = json.loads(hier("audit", "verify", "--json").out)
    assert (found["sound"], found["problems"], found["not_asked"]) == (True, [], [])
    assert found["artifacts"] == found["rows"] == len(platform.artifacts())
    assert found["events"] == platform.registry.head().seq
    assert found["records"] == len(platform.live())
    assert found["anchors"] == found["records"]
    assert found["bytes"] == sum(e.bytes for a in _all(platform) for e in a.manifest.files)
    assert found["proven"] > 20


def test_everything_that_is_wrong_is_named_at_once_with_its_file_and_a_fix(own, asked, hier):
    flipped, cut = largest(own.latest(GRAPH)), largest(own.latest(EVENTS, "recipes"))
    gone, manifest = largest(own.latest(LINKS)), own.latest(ENCODER).path / "manifest.json"
    stranger = own.latest(GRAPH).path / "notes.txt"
    lost, record = own.latest(PUBLISHED, "grocery").path, own.record("grocery")
    with own.store.stage("raw/events") as staged:
        (staged / "data").write_text("x")
        body = Manifest(kind="raw/events", request_key="0" * 64, code_version="1", params={})
        orphan = own.store.commit(staged, body).path
    flip(flipped)
    cut.write_bytes(cut.read_bytes()[:-1])
    gone.unlink()
    flip(manifest)
    stranger.write_text("by hand")
    shutil.rmtree(lost)
    flip(record)
    own.registry.read(lambda s: s.execute(text("DELETE FROM checks WHERE event < 20")))
    code, found = asked()
    assert code == 1
    told = {(p["what"], p["file"]): p for p in found["problems"]}
    for what, file in [
        ("file", flipped), ("file", cut), ("file", gone), ("manifest", manifest), ("stranger", stranger),
        ("lost", lost), ("orphan", orphan), ("version record", record),
    ]:  # fmt: skip
        problem = told[what, str(file)]
        assert problem["fix"]
        assert problem["expected"] != problem["found"]
    assert told["file", str(gone)]["found"] == "nothing"
    assert f"{cut.stat().st_size + 1:,} bytes" in told["file", str(cut)]["expected"]
    assert any(p["what"] == "chain" and "missing row" in p["where"] for p in found["problems"])
    assert any(p["what"] == "leakage" and "cannot be asked" in p["found"] for p in found["problems"])
    answer = hier("audit", "verify", "--domains", own.domains)
    assert answer.code == 1
    assert f"file {flipped}" in answer.err
    assert f"{len(found['problems'])} problem(s)." in answer.out


def test_fast_leaves_the_bytes_out_and_says_so(own, asked):
    flip(largest(own.latest(GRAPH)))
    code, found = asked("--fast")
    assert (code, found["files"], found["proven"]) == (0, 0, 0)
    assert "--fast" in found["not_asked"][0]
    assert asked()[0] == 1


def test_a_set_that_knows_what_is_held_out_is_named(own):
    graph, whole, row = own.latest(GRAPH), own.latest(PUBLISHED, "grocery"), own.registry.alias("grocery")
    arrays = load_graph(graph.path, own.config.source_names, own.config.target_names)
    pairs = arrays.interactions["grocery"]
    user, item = (int(v[pairs.split == TEST][7]) for v in (pairs.user, pairs.item))
    leaky = resigned(own, graph, lambda folder: add_edge(folder, "food_delivery", user, item))
    parents = whole.manifest.parents | {"graph": leaky.digest}
    with own.store.stage(PUBLISHED) as staged:
        shutil.copytree(whole.path, staged, dirs_exist_ok=True)
        (staged / "manifest.json").unlink()
        forged = own.store.commit(staged, whole.manifest.model_copy(update={"parents": parents}))
    for artifact in (leaky, forged):
        own.registry.record(artifact, [], run_id="r", seconds=0)
    move = Move("grocery", "live", forged.digest, "", "by hand", change=row.change, space=row.space)
    AliasRecords(own.home.root).write(record_of(own.registry.move_alias(move)))
    found = verify(own.home.root, own.home.store, own.registry)
    assert {p.what for p in found.problems} == {"leakage"}
    assert any(leaky.digest[:12] in p.where for p in found.problems)


@of_sqlite
def test_a_log_whose_end_was_cut_off_and_a_key_that_signed_nothing_are_told(own, asked, tmp_path):
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    head, anchors, key = own.registry.head(), tmp_path / "anchors", tmp_path / "key.pem"
    append_anchor(anchors, Head(head.seq + 3, "a" * 64))
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    key.write_bytes(Ed25519PrivateKey.generate().public_key().public_bytes(serialization.Encoding.PEM, kind))
    code, found = asked("--fast", "--anchor", anchors)
    assert code == 1
    (problem,) = found["problems"]
    assert problem["where"] == f"anchor, event {head.seq + 3}"
    code, found = asked("--fast", "--key", key)
    (problem,) = found["problems"]
    assert (code, problem["where"]) == (1, f"signature, event {head.seq}")


def test_a_registry_that_cannot_be_opened_is_a_problem_beside_the_others(own, hier, monkeypatch):
    flipped = largest(own.latest(GRAPH))
    flip(flipped)
    broken = own.folder / "broken.db"
    broken.write_bytes(b"no database" * 1000)
    monkeypatch.setenv("HIER_REGISTRY", f"sqlite:///{broken}")
    answer = hier("audit", "verify", "--domains", own.domains, "--json")
    found = json.loads(answer.out)["problems"]
    assert answer.code == 1
    assert {(p["what"], Path(p["file"]).name) for p in found} == {
        ("file", flipped.name),
        ("registry", "broken.db"),
    }


def test_an_event_that_somebody_rewrote_hides_nothing_else(own):
    def rewrite(s):
        s.execute(text("DROP TRIGGER events_no_update"))
        s.execute(text("UPDATE events SET entry = 'x' WHERE kind = 'alias'"))

    if own.registry.url.startswith("postgresql"):
        pytest.skip("its trigger has another name")
    own.registry.read(rewrite)
    flip(largest(own.latest(GRAPH)))
    found = verify(own.home.root, own.home.store, own.registry)
    assert {"chain", "file", "registry"} <= {p.what for p in found.problems}


def test_whoever_listens_hears_how_much_was_read(platform):
    heard = []
    with listening(heard.append):
        found = verify(platform.home.root, platform.home.store, RegistryError("it is away"))
    reading = [step for step in heard if step.text.startswith("reading")]
    assert reading[-1].done == reading[-1].total == found.bytes > 0


def test_verifying_uses_nothing_that_a_clean_up_would_take_for_needed(platform):
    before = {path: path.stat().st_mtime_ns for path in platform.artifacts()}
    verify(platform.home.root, platform.home.store, RegistryError("it is away"))
    assert before == {path: path.stat().st_mtime_ns for path in platform.artifacts()}


def _all(platform):
    return [platform.store.open("/".join(p.parts[-3:-1]), p.name, verify=False) for p in platform.artifacts()]
