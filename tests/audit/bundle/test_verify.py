"""The verifier needs Python alone, and nothing in a bundle changes, comes or goes unseen."""

import json
import shutil
import subprocess
import sys
import zipfile

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.audit.bundle import verify, write_bundle
from hier_dag.audit.evidence.dates import APPROVALS, CERTIFICATE
from tests.retention.conftest import Town

QUICK = settings(max_examples=40, deadline=None)


def run(script, *arguments):
    """What the verifier says, in a Python without any site package."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(script), *map(str, arguments)], capture_output=True, text=True
    )


def consistent(files):
    """The files under a statement that covers them as they are now: what a careful forger would leave."""
    bundle = json.loads(files["bundle.json"])
    published = json.loads(files[f"manifests/{bundle['digest']}.json"])
    told = verify.statement(verify.subject(bundle), verify.covered(files, published))
    return {**files, "statement.json": told}


def test_it_runs_without_any_library_on_the_folder_the_archive_and_the_store(
    platform, grocery_bundle, tmp_path
):
    with zipfile.ZipFile(grocery_bundle) as archive:
        archive.extractall(tmp_path)
    script = tmp_path / "verify.py"
    for arguments in ((), (grocery_bundle,), ("--store", platform.home.store)):
        said = run(script, *arguments)
        assert (said.returncode, said.stderr) == (0, ""), said.stdout
        assert said.stdout.startswith("OK     sample/grocery/1: ")
    assert run(script, tmp_path / "nothing.zip").returncode == 2


def test_a_byte_of_an_artifact_that_differs_is_found_in_the_store(own, grocery_bundle, capsys):
    store = own.home.store
    assert verify.main([str(grocery_bundle), "--store", str(store)]) == 0
    path = own.latest("pretrain/encoder").file("encoding.safetensors")
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    shutil.rmtree(own.latest("kg/graph").path)
    assert verify.main([str(grocery_bundle), "--store", str(store)]) == 1
    said = capsys.readouterr().out
    assert f"{path}: it does not match its digest" in said
    assert "the artifact is not there" in said


@QUICK
@given(data=st.data())
def test_any_changed_byte_is_found(grocery_files, data):
    name = data.draw(st.sampled_from(sorted(grocery_files)))
    content = bytearray(grocery_files[name])
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    assert list(verify.problems({**grocery_files, name: bytes(content)}))


@QUICK
@given(data=st.data())
def test_any_removed_file_is_found(grocery_files, data):
    name = data.draw(st.sampled_from(sorted(grocery_files)))
    assert list(verify.problems({n: d for n, d in grocery_files.items() if n != name}))


@QUICK
@given(
    folder=st.sampled_from(["", "manifests/", "evidence/", "environments/", "set/"]),
    name=st.text("abc0/.json", min_size=1, max_size=12),
    content=st.binary(max_size=20),
)
def test_any_added_file_is_found(grocery_files, folder, name, content):
    if folder + name not in grocery_files:
        assert list(verify.problems({**grocery_files, folder + name: content}))


def test_the_bundle_as_it_was_written_has_no_problem(grocery_files):
    assert list(verify.problems(grocery_files)) == []
    assert consistent(grocery_files) == grocery_files


def test_a_manifest_that_was_rewritten_with_its_statement_is_found(grocery_files):
    name = next(n for n in grocery_files if n.startswith("manifests/"))
    told = json.loads(grocery_files[name])
    told["seeds"] = [99]
    forged = consistent({**grocery_files, name: verify.canonical(told)})
    assert f"{name}: it does not match its digest" in list(verify.problems(forged))


def test_an_event_that_was_rewritten_with_its_statement_is_found(grocery_files):
    lines = [json.loads(line) for line in grocery_files["events.jsonl"].splitlines()]
    at = next(n for n, line in enumerate(lines[:-1]) if lines[n + 1]["seq"] == line["seq"] + 1)
    lines[at]["entry"] = lines[at]["entry"].replace('"who":"', '"who":"not ')

    def forged():
        text = b"".join(verify.canonical(line) + b"\n" for line in lines)
        return list(verify.problems(consistent({**grocery_files, "events.jsonl": text})))

    assert f"events.jsonl, event {lines[at]['seq']}: it does not match its hash" in forged()
    lines[at]["hash"] = verify.sha256(lines[at]["entry"].encode())
    (only,) = forged()
    assert only == f"events.jsonl, event {lines[at + 1]['seq']}: it does not follow the event before"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: b["versions"][0].update(version=2), "its versions are not those of the events"),
        (lambda b: b["versions"][0].update(who="nobody"), "its versions are not those of the events"),
        (lambda b: b["versions"].clear(), "its versions are not those of the events"),
        (lambda b: b.update(version=2), "no event makes version 2 of it live"),
        (lambda b: b["events"]["last"].update(hash="0" * 64), "its events are not those of the events"),
        (lambda b: b["events"].update(count=1), "its events are not those of the events"),
        (lambda b: b["runs"][0].update(code_commit="0" * 40), "its runs are not those"),
        (lambda b: b["leakage"][0].update(in_both=3), "its leakage are not those"),
        (lambda b: b["set"].update(users=3), "its set are not those"),
        (lambda b: b["approvals"].append({"kind": "approval"}), "its approvals are not those"),
        (
            lambda b: b["reproductions"].append({"kind": "certificate"}),
            "1 reproductions are told, 0 are among",
        ),
        (lambda b: b["data"][0].update(sha256="0" * 64), "its raw files are not those that manifests name"),
        (lambda b: b["data"].pop(), "its raw files are not those that manifests name"),
        (lambda b: b["artifacts"][0].update(who="nobody"), "who of artifact"),
        (
            lambda b: b["artifacts"][0].update(created_at="2026-01-01T00:00:00+00:00"),
            "created_at of artifact",
        ),
        (lambda b: b["artifacts"][0].update(bytes=1), "bytes of artifact"),
        (lambda b: b["artifacts"][0].update(in_store=False), "say otherwise about it"),
        (lambda b: b["artifacts"].pop(), "its artifacts are not those of the manifests"),
        (lambda b: b["checks"][0].update(passed=False), "(failed) is not among the events"),
        (lambda b: b["checks"].pop(), "(passed) is not told"),
        (lambda b: b.update(signed_by="0" * 16), "says otherwise about a signature"),
        (lambda b: b.update(environments={}), "its environments are not those that made the artifacts"),
        (lambda b: b.update(format=2), "format 2 is not known to this verifier"),
    ],
)
def test_a_record_that_contradicts_the_rest_is_found(grocery_files, change, said):
    bundle = json.loads(grocery_files["bundle.json"])
    change(bundle)
    forged = {**grocery_files, "bundle.json": verify.canonical(bundle)}
    assert any(said in problem for problem in verify.problems(consistent(forged)))


def test_two_files_of_one_name_are_refused(grocery_bundle, tmp_path, capsys):
    copy = shutil.copy(grocery_bundle, tmp_path / "twice.zip")
    with zipfile.ZipFile(copy, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("bundle.json", b"{}")
    assert verify.main([str(copy)]) == 1
    assert "two files have one name" in capsys.readouterr().out


def without_events(files, kind):
    """The files without events of a kind, and with bundle.json's account of them made to fit."""
    lines = [json.loads(line) for line in files["events.jsonl"].splitlines()]
    kept = [line for line in lines if json.loads(line["entry"])["kind"] != kind]
    assert len(kept) < len(lines)
    bundle = json.loads(files["bundle.json"])
    last = {"seq": kept[-1]["seq"], "hash": kept[-1]["hash"]}
    bundle["events"] = {"count": len(kept), "last": last}
    text = b"".join(verify.canonical(line) + b"\n" for line in kept)
    return consistent({**files, "events.jsonl": text, "bundle.json": verify.canonical(bundle)})


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("checks", "(passed) is not among the events"),
        ("artifact", "events.jsonl: 0 events record artifact"),
        ("alias", "no event makes version 1 of it live"),
        ("run", "its runs are not those of the events"),
        ("environment", "no event records environment"),
    ],
)
def test_events_that_were_taken_out_are_missed(grocery_files, kind, said):
    assert any(said in problem for problem in verify.problems(without_events(grocery_files, kind)))


def test_evidence_that_was_taken_out_is_missed(grocery_files):
    left = {name: data for name, data in grocery_files.items() if not name.startswith("evidence/")}
    found = list(verify.problems(consistent(left)))
    gone = grocery_files.keys() - left.keys()
    assert gone
    assert all(any(problem.startswith(f"{name}: ") for problem in found) for name in gone)


def test_a_store_with_another_manifest_a_further_file_or_a_link_is_told(
    own, grocery_bundle, tmp_path, capsys
):
    arguments = [str(grocery_bundle), "--store", str(own.home.store)]
    folder = own.latest("pretrain/encoder").path
    folder.chmod(0o755)
    manifest, added, linked = (folder / n for n in ("manifest.json", "more.txt", "curve.parquet"))
    manifest.chmod(0o644)
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    added.write_text("x")
    shutil.move(linked, tmp_path / "elsewhere")
    linked.symlink_to(tmp_path / "elsewhere")
    whole = own.latest("kg/graph").path
    shutil.move(whole, tmp_path / "graph")
    whole.symlink_to(tmp_path / "graph")
    assert verify.main(arguments) == 1
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(
        [
            f"WRONG  {linked}: it is a link",
            f"WRONG  {manifest}: it does not match its digest",
            f"WRONG  {added}: it does not belong to the artifact",
            f"WRONG  {whole}: it is a link",
        ]
    )


def test_wrong_use_and_a_damaged_bundle_are_one_line_of_words_each(grocery_bundle, tmp_path, capsys):
    rsa = generate_private_key(65537, 2048).public_key()
    pem = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "rsa.pub").write_bytes(rsa.public_bytes(*pem))
    (tmp_path / "none.pub").write_text("no key")
    for options in (
        ["--key", tmp_path / "rsa.pub"],
        ["--key", tmp_path / "none.pub"],
        ["--key", tmp_path / "gone.pub"],
        ["--store", tmp_path / "gone"],
    ):
        assert verify.main([str(grocery_bundle), *map(str, options)]) == 2
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert said.err.startswith("cannot be checked: ")
    torn = tmp_path / "torn.zip"
    torn.write_bytes(grocery_bundle.read_bytes()[:-100])
    assert verify.main([str(torn)]) == 1
    assert capsys.readouterr().out == f"WRONG  {torn}: it is no whole zip archive: File is not a zip file\n"


@pytest.mark.parametrize("name", ["bundle.json", "statement.json", "events.jsonl", "manifests/0.json"])
def test_json_that_is_nested_too_deeply_is_damage(grocery_files, name):
    found = list(verify.problems({**grocery_files, name: b"[" * 200_000}))
    assert any("RecursionError" in problem for problem in found)


def test_a_link_in_a_bundle_is_damage(grocery_bundle, tmp_path, capsys):
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(grocery_bundle) as archive:
        archive.extractall(folder)
    shutil.move(folder / "bundle.json", tmp_path / "bundle.json")
    (folder / "bundle.json").symlink_to(tmp_path / "bundle.json")
    assert verify.main([str(folder)]) == 1
    assert "bundle.json: it is a link" in capsys.readouterr().out


def test_figures_of_a_reproduction_are_those_of_its_event(tmp_path):
    town = Town(tmp_path)
    town.publish("one")
    digest = town.registry.alias("cafe").digest
    facts = {"seconds": 1.5, "conditions": ["threads"], "figures": {"max_rel": 0.25}, "verdict": "different"}
    town.registry.decide("cafe", "certificate", digest, why="built again: different", facts=facts)
    files = verify.read(write_bundle(town.store, town.registry, town.home, "cafe", tmp_path / "x.zip"))
    assert list(verify.problems(files)) == []
    bundle = json.loads(files["bundle.json"])
    assert bundle["reproductions"][0]["facts"]["figures"] == {"max_rel": 0.25}
    bundle["reproductions"][0]["facts"]["figures"]["max_rel"] = 0.0
    found = verify.problems(consistent({**files, "bundle.json": verify.canonical(bundle)}))
    assert any("figures of a reproduction are not those of event" in problem for problem in found)


def test_the_verifier_knows_what_the_registry_calls_decisions():
    assert (verify.APPROVALS, verify.CERTIFICATE) == (APPROVALS, CERTIFICATE)
