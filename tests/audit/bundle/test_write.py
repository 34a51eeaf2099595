"""A bundle holds what was asked of it, in the same bytes each time, and nobody's id."""

import base64
import hashlib
import json
import re

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf import json_format
from in_toto_attestation.v1 import statement, statement_pb2

from hier_dag.audit.bundle import write_bundle
from hier_dag.audit.bundle.verify import forged, main, read, signed_bytes
from hier_dag.errors import UsageError
from tests.retention.conftest import Town


def written(platform, folder, name="bundle.zip", **options):
    out = folder / name
    return write_bundle(platform.store, platform.registry, platform.home, "grocery", out, **options)


@pytest.fixture
def key(tmp_path, monkeypatch):
    """A key that signs, and the PEM file of its public half."""
    private = Ed25519PrivateKey.generate()
    pem = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "key.pem").write_bytes(private.private_bytes(*pem))
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "key.pub").write_bytes(public)
    monkeypatch.setenv("HIER_SIGNING_KEY", str(tmp_path / "key.pem"))
    return private.public_key()


def test_the_same_state_gives_the_same_bytes(platform, grocery_bundle, tmp_path):
    assert written(platform, tmp_path).read_bytes() == grocery_bundle.read_bytes()


def test_what_happens_to_other_domains_does_not_change_it(own, tmp_path):
    before = written(own, tmp_path, "before.zip").read_bytes()
    own.registry.decide("recipes", "pin", own.registry.alias("recipes").digest, why="another domain's")
    assert written(own, tmp_path, "after.zip").read_bytes() == before
    own.registry.decide("grocery", "pin", own.registry.alias("grocery").digest, why="its own")
    assert written(own, tmp_path, "later.zip").read_bytes() != before


def test_it_lists_every_raw_file_with_its_digest_and_where_its_rows_went(platform, grocery_files):
    listed = json.loads(grocery_files["bundle.json"])["data"]
    of_files = [f for f in listed if f["format"] != "sql"]
    assert {f["domain"] for f in of_files if f["feeds"] == "events"} >= {
        "grocery",
        "food_delivery",
        "recipes",
    }
    for f in of_files:
        raw = (platform.data / f["location"]).read_bytes()
        assert (f["sha256"], f["bytes"]) == (hashlib.sha256(raw).hexdigest(), len(raw))
    for f in listed:
        assert (
            f["rows_in"] == f["rows_out"] + sum(f["quarantined"].values()) + f["deduplicated"] + f["erased"]
        )
        assert f["terms"] is None


def test_it_tells_the_version_its_dates_checks_figures_and_certificates(platform, grocery_files):
    record = json.loads(grocery_files["bundle.json"])
    row = platform.registry.alias("grocery")
    assert (record["version"], record["digest"], record["changes"]) == (row.version, row.digest, None)
    (live,) = record["versions"]
    assert (live["from"], live["until"]) == (row.created_at.isoformat(), None)
    report = pq.read_table(platform.latest("finetune/model", "grocery").file("report.parquet")).to_pylist()
    assert record["figures"] == [r for r in report if r["model"] == "hier"]
    assert len(grocery_files["metrics.csv"].splitlines()) == len(report) + 1
    checks = {(c["kind"], c["name"]) for c in record["checks"]}
    assert {
        ("publish/embeddings", "coverage"),
        ("kg/graph", "no_leakage"),
        ("raw/events", "conservation"),
    } <= checks
    assert {c["kind"] for c in record["leakage"]} == {"kg/graph", "pretrain/encoder", "finetune/model"}
    assert all(c.get("in_both", c.get("in_held_out")) == 0 for c in record["leakage"])
    assert record["erasures"] == {"count": 0, "receipts": []}
    assert {r["run_id"] for r in record["runs"]} == {a["run_id"] for a in record["artifacts"]}
    assert all("devices" in r["machine"] for r in record["runs"])


def test_no_id_of_a_user_is_in_it(platform, grocery_files):
    users = pq.read_table(platform.latest("kg/graph").file("nodes/users.parquet"))["user_id"]
    assert pc.count(users).as_py() > 100
    text = b"\n".join(data for name, data in grocery_files.items() if not name.endswith(".parquet"))
    words = set(re.findall(rb"[A-Za-z0-9_]+", text))
    assert not words & {u.encode() for u in users.to_pylist()}


def test_its_pages_fetch_nothing_and_run_nothing(grocery_files):
    for name in ("index.html", "model_card.html"):
        page = grocery_files[name].decode()
        links = re.findall(r'(?:href|src)="([^"]*)"', page)
        assert all(link in grocery_files for link in links)
        assert "<script" not in page
        assert "default-src 'none'" in page


def test_the_statement_is_one_that_in_toto_reads(grocery_files):
    parsed = json_format.Parse(grocery_files["statement.json"], statement_pb2.Statement())
    statement.Statement.copy_from_pb(parsed).validate()
    assert parsed.predicate_type == "https://model_signing/signature/v1.0"
    stated = {r["name"]: r["digest"] for r in json_format.MessageToDict(parsed.predicate)["resources"]}
    for name, data in grocery_files.items():
        if name != "statement.json":
            assert stated.pop(name) == hashlib.sha256(data).hexdigest()
    assert {"set/users.parquet", "set/items.parquet", "set/seen.parquet"} <= set(stated)
    root = hashlib.sha256()
    for resource in parsed.predicate["resources"]:
        root.update(bytes.fromhex(resource["digest"]))
    assert parsed.subject[0].digest["sha256"] == root.hexdigest()


def test_a_key_signs_it_and_another_key_did_not(platform, key, tmp_path, capsys):
    path = written(platform, tmp_path)
    files = read(path)
    envelope = json.loads(files["statement.dsse.json"])
    payload = base64.b64decode(envelope["payload"])
    assert (payload, envelope["payloadType"]) == (files["statement.json"], "application/vnd.in-toto+json")
    said = b"DSSEv1 28 application/vnd.in-toto+json %d " % len(payload) + payload
    assert signed_bytes(payload) == said
    key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), said)
    assert main([str(path), "--key", str(tmp_path / "key.pub")]) == 0
    other = Ed25519PrivateKey.generate().public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    (tmp_path / "other.pub").write_bytes(other)
    assert main([str(path), "--key", str(tmp_path / "other.pub")]) == 1
    assert "the signature is not of this key" in capsys.readouterr().out


def test_events_that_the_key_signed_are_checked_with_it(key, tmp_path):
    town = Town(tmp_path / "town")
    town.publish("set")
    files = read(write_bundle(town.store, town.registry, town.home, "cafe", tmp_path / "x.zip"))
    public = (tmp_path / "key.pub").read_bytes()
    assert list(forged(files, public)) == []
    lines = [json.loads(line) for line in files["events.jsonl"].splitlines()]
    lines[0]["signature"] = lines[1]["signature"]
    text = "\n".join(map(json.dumps, lines)).encode()
    (only,) = forged({**files, "events.jsonl": text}, public)
    assert only == f"events.jsonl, event {lines[0]['seq']}: the signature is not of this key"


def test_a_version_or_domain_that_is_not_there_is_named(platform, tmp_path):
    with pytest.raises(UsageError, match="live has no version 7"):
        written(platform, tmp_path, version=7)
    with pytest.raises(UsageError, match="no target domain is called 'nowhere'"):
        write_bundle(platform.store, platform.registry, platform.home, "nowhere", tmp_path / "x.zip")
    assert not list(tmp_path.iterdir())


def test_a_later_version_tells_what_changed_and_an_earlier_one_that_it_is_past(tmp_path):
    town = Town(tmp_path)
    old, new = town.make("old graph"), town.make("new graph")
    town.publish("one", parents=[old])
    town.publish("two", parents=[new])
    town.registry.decide("cafe", "pin", town.registry.alias("cafe").digest, why="basis | of <the> audit")
    town.registry.decide("", "certificate", new, why="made again")
    for version in (1, 2):
        out = tmp_path / f"{version}.zip"
        write_bundle(town.store, town.registry, town.home, "cafe", out, version=version)
        assert main([str(out), "--store", str(town.home.store)]) == 0
    later, earlier = read(tmp_path / "2.zip"), read(tmp_path / "1.zip")
    assert json.loads(later["bundle.json"])["changes"]["since"] == 1
    page = later["index.html"].decode()
    assert "Against version 1; 0 artifacts are behind both." in page
    assert old[:12] in page
    assert "made again" in page
    assert "basis | of &lt;the&gt; audit" in page
    assert "an earlier version, which went live on" in earlier["index.html"].decode()
