"""`hier audit bundle` writes an archive that verifies, and says what it wrote."""

import json
import subprocess
import sys


def test_it_writes_an_archive_that_verifies(hier, platform, tmp_path):
    file = tmp_path / "new" / "evidence.zip"
    answer = hier("audit", "bundle", "grocery", "--out", file, "--json")
    assert answer.code == 0, answer.err
    told = json.loads(answer.out)
    assert (told["file"], told["domain"], told["version"]) == (str(file), "grocery", 1)
    assert told["digest"] == platform.registry.alias("grocery").digest
    assert told["bytes"] == file.stat().st_size
    script = [sys.executable, "-m", "hier_dag.audit.bundle.verify", str(file)]
    said = subprocess.run(script, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout
    ok, *notes = said.stdout.splitlines()
    assert ok.split()[-1] == told["statement"]
    assert any("not proven without a key: who wrote this" in note for note in notes)


def test_without_a_name_it_goes_to_the_working_directory(hier, platform, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = hier("audit", "bundle", "meal_kits")
    assert answer.code == 0, answer.err
    assert "Written: meal_kits_v1.zip" in answer.out
    assert "not signed" in answer.out
    assert (tmp_path / "meal_kits_v1.zip").is_file()


def test_what_is_not_there_is_a_usage_error(hier, platform, tmp_path):
    for arguments, said in (
        (("nowhere",), "no target domain is called 'nowhere'"),
        (("grocery", "--version", "9"), "live has no version 9"),
    ):
        answer = hier("audit", "bundle", *arguments, "--out", tmp_path / "x.zip")
        assert answer.code == 2
        assert said in answer.err
    assert not list(tmp_path.iterdir())


def test_a_key_that_cannot_be_read_is_named(hier, platform, tmp_path, monkeypatch):
    monkeypatch.setenv("HIER_SIGNING_KEY", str(tmp_path / "gone.pem"))
    answer = hier("audit", "bundle", "grocery", "--out", tmp_path / "x.zip")
    assert answer.code == 2
    assert "gone.pem" in answer.err
