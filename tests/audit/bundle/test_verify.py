"""The verifier needs Python alone, and nothing in a bundle changes, comes or goes unseen."""

import json
import shutil
import subprocess
import sys
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hier_dag.audit.bundle import verify

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
    assert verify.main([str(copy)]) == 2
    assert "two files have one name" in capsys.readouterr().err
