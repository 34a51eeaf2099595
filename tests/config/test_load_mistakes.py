"""Declarations that a parser or a library trips over: each is a mistake with its line and its fix."""

import os
import re

import pytest

from hier_dag.config import check_config, load_config
from hier_dag.config.load import resolve_files
from hier_dag.errors import ConfigError

GOOD = """\
platform: tiny
domains:
  shop:
    role: source
    sources: {path: shop.csv}
    refresh: "0 3 * * *"
  cafe:
    role: target
    sources: {path: cafe.csv, columns: {user_id: uid, event_time: at}}
    split: {kind: global_time, validation_from: 2026-01-01, test_from: 2026-02-01}
"""


@pytest.fixture(autouse=True)
def declared(folder):
    (folder / "domains.yaml").write_text(GOOD)


def check(folder, old, new):
    assert old in GOOD
    path = folder / "domains.yaml"
    path.write_text(GOOD.replace(old, new))
    return check_config(path)[1]


def test_the_file_that_the_others_spoil_is_good(folder):
    assert not check_config(folder / "domains.yaml")[1]


@pytest.mark.parametrize(
    ("old", "new", "line", "says", "fix"),
    [
        ("2026-01-01", "2024-13-01", 10, "'2024-13-01' is no valid timestamp", "correct it"),
        ("2026-01-01", "0001-01-01T00:00:00+09:00", 10, "is no instant", "docs"),
        ("platform: tiny", "platform: tiny\n? [a]\n: b", 2, "a key is plain text", "key: value"),
        ("platform: tiny", "platform: tiny\n? {a: b}\n: c", 2, "a key is plain text", "key: value"),
        ("platform: tiny", "platform: tiny\nlinks: &a {names: *a}", 2, "an alias of itself", "write its"),
        ("platform: tiny", "platform: tiny\nlinks: &a [*a]", 2, "an alias of itself", "write its"),
        ("platform: tiny", "platform: tiny\nlinks: " + "[" * 5000, 1, "nested too deeply", "flatter"),
        ("0 3 * * *", "0 0 31 2 *", 6, "a day that never comes", "docs"),
        ("role: source", "role: sorce", 4, "'source' or 'target'", "did you mean 'source'?"),
        ("role: source", "role: 7", 4, "'source' or 'target'", "write one of 'source' or 'target'"),
        ("kind: global_time", "kind: global-time", 10, "", "did you mean 'global_time'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_line_and_fix(folder, old, new, line, says, fix):
    issues = check(folder, old, new)
    assert [i for i in issues if i.line == line and says in i.message and fix in i.fix], issues


def test_an_impossible_date_is_named_once(folder):
    assert len(check(folder, "2026-01-01", "2024-13-01")) == 1


def test_a_platform_without_domains_is_a_mistake(folder):
    (folder / "domains.yaml").write_text("platform: tiny\ndomains: {}\n")
    config, issues = check_config(folder / "domains.yaml")
    assert config is None
    assert [(i.line, "at least one domain" in i.message) for i in issues] == [(2, True)]


def test_a_folder_is_no_declaration(folder):
    config, issues = check_config(folder)
    assert config is None
    assert "cannot be read: Is a directory" in issues[0].message
    with pytest.raises(ConfigError, match="Is a directory"):
        load_config(folder)


@pytest.mark.parametrize("value", ["yesterday", "2000-13-01", "'0001-01-01T00:00:00+09:00'"])
def test_the_earliest_time_is_a_date(folder, value):
    issues = check(folder, "platform: tiny", f"platform: tiny\nstages: {{ingest: {{min_time: {value}}}}}")
    assert issues
    assert {i.line for i in issues} == {2}


@pytest.mark.parametrize("value", ["2010-01-01", "'2010-01-01'"])
def test_the_earliest_time_may_stand_without_quotes(folder, value):
    assert not check(folder, "platform: tiny", f"platform: tiny\nstages: {{ingest: {{min_time: {value}}}}}")
    assert load_config(folder / "domains.yaml").stages.ingest.min_time == "2010-01-01"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("not a url", "not a SQLAlchemy URL"),
        ("postgresql://h:port/x", "not a SQLAlchemy URL"),
        ("foo://me:secret@x/y", "no dialect 'foo'"),
        ("sqlite+nodriver://x/y", "no dialect 'sqlite+nodriver'"),
        ("oracle://me:secret@x/y", "driver of 'oracle' is not installed"),
    ],
)
def test_an_unusable_database_url_is_named_with_or_without_files(folder, url, says):
    issues = check(folder, "{path: shop.csv}", f"{{sql: '{url}', table: logs}}")
    assert [(i.line, i.where) for i in issues] == [(5, "domains.shop.sources.0")]
    assert says in issues[0].message
    assert issues[0].fix
    with pytest.raises(ConfigError, match=re.escape(says)) as caught:
        load_config(folder / "domains.yaml")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["logs [2026]", "what?", "*"])
def test_special_characters_in_the_data_folder_are_no_glob(folder, name):
    (folder / "domains.yaml").write_text(f"data: '{name}'\n" + GOOD.replace("shop.csv", "s*.csv"))
    (folder / name).mkdir()
    for file in ("shop.csv", "cafe.csv"):
        os.rename(folder / file, folder / name / file)
    config, issues = check_config(folder / "domains.yaml")
    assert not issues
    assert resolve_files(config, config.domains["shop"].sources[0]) == [folder / name / "shop.csv"]


def test_a_file_whose_name_reads_as_a_glob_is_meant_by_itself(folder):
    assert check(folder, "path: shop.csv", "path: 'shop[1].csv'")
    (folder / "shop1.csv").touch()
    assert not check(folder, "path: shop.csv", "path: 'shop[1].csv'")
    (folder / "shop[1].csv").touch()
    config = load_config(folder / "domains.yaml")
    assert resolve_files(config, config.domains["shop"].sources[0]) == [folder / "shop[1].csv"]


@pytest.mark.parametrize("data", ['"a\\0b"', "~nobody_of_this_name/logs"])
def test_a_data_folder_that_cannot_be_is_a_mistake(folder, data):
    (folder / "domains.yaml").write_text(f"data: {data}\n" + GOOD.replace("shop.csv", "s*.csv"))
    config, issues = check_config(folder / "domains.yaml")
    assert config is None
    assert issues[0].fix


def test_a_path_below_the_home_of_nobody_is_a_mistake(folder):
    issues = check(folder, "path: shop.csv", "path: ~nobody_of_this_name/shop.csv")
    assert "no file matches" in issues[0].message


def test_a_path_that_no_file_system_takes_is_a_mistake(folder):
    assert "no file matches" in check(folder, "path: shop.csv", f"path: {'x' * 300}.csv")[0].message
