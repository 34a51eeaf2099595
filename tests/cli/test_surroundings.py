"""Commands where the environment or an argument is wrong: an error with a fix, at once, never a traceback."""

import json
import shutil
import time
from pathlib import Path

import pytest

from hier_dag.cli.ui import absolute_places
from hier_dag.config import load_config
from hier_dag.errors import ConfigError, RegistryError
from hier_dag.home import last_domains_file
from hier_dag.registry import Registry


def test_a_state_folder_that_is_a_file(fresh, hier, monkeypatch):
    file = fresh.folder / "state.txt"
    file.touch()
    monkeypatch.setenv("HIER_HOME", str(file))
    for command in (["run", fresh.domains], ["report", "--domains", fresh.domains], ["recommend", "a", "b"]):
        code, _, err = hier(*command)
        assert code == 2
        assert "HIER_HOME is not a folder" in err
        assert str(file) in err


def test_a_state_folder_that_cannot_be_made(fresh, hier, monkeypatch):
    monkeypatch.setenv("HIER_HOME", "/proc/none")
    code, _, err = hier("run", fresh.domains)
    assert code == 2
    assert "HIER_HOME: cannot be written" in err


@pytest.mark.parametrize("url", ["not a url", "foo://me:secret@x/y"])
def test_a_wrong_registry_url(fresh, hier, monkeypatch, url):
    monkeypatch.setenv("HIER_REGISTRY", url)
    code, _, err = hier("report", "--domains", fresh.domains)
    assert code == 2
    assert "HIER_REGISTRY" in err
    assert "secret" not in err


def test_a_registry_in_no_folder_is_told_at_once(tmp_path):
    began = time.monotonic()
    with pytest.raises(ConfigError, match="its folder does not exist"):
        Registry(f"sqlite:///{tmp_path}/none/registry.db")
    with pytest.raises(ConfigError, match="is a folder"):
        Registry(f"sqlite:///{tmp_path}")
    assert time.monotonic() - began < 5


def test_a_registry_that_is_no_database_says_so_without_links(tmp_path):
    file = tmp_path / "registry.db"
    file.write_text("not a database, but longer than a header of one hundred bytes. " * 4)
    with pytest.raises(RegistryError) as caught:
        Registry(f"sqlite:///{file}")
    assert "file is not a database" in caught.value.message
    assert "sqlalche.me" not in str(caught.value)
    assert caught.value.fix


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b"\xff", b'{"domains": 7}', b'{"other": "x"}'])
def test_a_damaged_note_of_the_last_run_is_ignored(fresh, note):
    fresh.state.mkdir(exist_ok=True)
    (fresh.state / "last.json").write_bytes(note)
    assert last_domains_file().name == "domains.yaml"


@pytest.mark.parametrize("command", ["recommend", "why"])
def test_an_id_that_is_not_utf8(platform, hier, command):
    for arguments in (["grocery", "\udcff"], ["\udcff", "u"]):
        code, _, err = hier(command, *arguments)
        assert code == 2
        assert "is not UTF-8" in err
        code, out, _ = hier(command, *arguments, "--json")
        assert code == 2
        assert json.loads(out)["error"]["code"] == "usage"


def test_a_file_whose_name_is_not_utf8(hier, tmp_path):
    code, out, _ = hier("check", f"{tmp_path}/\udcff.yaml")
    assert code == 2
    assert "there is no such file" in out
    code, out, _ = hier("check", f"{tmp_path}/\udcff.yaml", "--json")
    assert json.loads(out)["ok"] is False


def test_of_several_platforms_that_publish_a_domain_the_last_run_is_meant(own, hier, monkeypatch):
    other = own.state / "other"
    shutil.copytree(own.home.live / "grocery" / "live", other / "live" / "grocery" / "live")
    user = "nobody"
    assert "'nobody' is not in the published set" in hier("recommend", "grocery", user).err
    (own.state / "last.json").unlink(missing_ok=True)
    assert "published by several platforms: other, sample" in hier("recommend", "grocery", user).err
    monkeypatch.setenv("HIER_DOMAINS", str(own.domains))
    assert "'nobody' is not in the published set" in hier("recommend", "grocery", user).err


def test_a_wrong_declaration_does_not_hide_what_is_published(own, hier, monkeypatch):
    monkeypatch.setenv("HIER_DOMAINS", str(own.folder / "none.yaml"))
    assert "'nobody' is not in the published set" in hier("recommend", "grocery", "nobody").err


def test_relative_places_mean_the_same_in_every_folder(fresh, monkeypatch):
    text = fresh.domains.read_text(encoding="utf-8")
    fresh.domains.write_text(text.replace("data: data", "data: ${HIER_DATA:-data}"), encoding="utf-8")
    monkeypatch.chdir(fresh.folder)
    given = {"HIER_DATA": "data", "HIER_REGISTRY": "sqlite:///state/registry.db"}
    places = absolute_places(given, Path.cwd())
    for name, value in places.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DAGSTER_HOME", "instance")
    instance = fresh.home.dagster()
    (fresh.folder / "state").mkdir(exist_ok=True)
    monkeypatch.chdir("/")
    assert instance == fresh.folder / "instance"
    assert load_config(fresh.domains).data_dir() == fresh.data
    Registry(places["HIER_REGISTRY"])
    assert (fresh.state / "registry.db").is_file()


@pytest.mark.parametrize(
    "url", ["sqlite:////var/registry.db", "sqlite://", "postgresql://me:secret@h/x", "no url"]
)
def test_places_that_are_absolute_or_no_files_stay_as_they_are(url):
    assert absolute_places({"HIER_REGISTRY": url}, Path("/here")).get("HIER_REGISTRY", url) == url
