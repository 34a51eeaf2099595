"""A declaration that would run code, read elsewhere or fill the memory is refused, with line and fix."""

import time

import pytest

from hier_dag.config import load_config
from hier_dag.config.database_url import source_url_problem
from hier_dag.config.load import check_config
from hier_dag.errors import ConfigError

GOOD = """\
platform: tiny
domains:
  shop: {role: source, sources: {path: shop.csv}}
  cafe: {role: target, sources: {path: cafe.csv}}
"""


def issues(folder, text):
    """What `hier check` says of a declaration; it must say it soon."""
    file = folder / "domains.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    began = time.perf_counter()
    config, found = check_config(file)
    assert time.perf_counter() - began < 10
    assert (config is None) == bool(found)
    assert all(len(i.message) < 1_000 and i.fix for i in found)
    return found


def messages(folder, text):
    return "\n".join(i.message for i in issues(folder, text))


def test_the_plain_declaration_is_fine(folder):
    assert issues(folder, GOOD) == []


def laughs(join):
    lines = ["a0: &a0 " + join(["x: 1"])]
    return "\n".join([*lines, *(f"a{k}: &a{k} " + join([f"*a{k - 1}"] * 9) for k in range(1, 12))])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (laughs(lambda p: "[" + ", ".join(x.removesuffix(": 1") for x in p) + "]"), "more than 100,000"),
        (laughs(lambda p: "{<<: [" + ", ".join(p) + "]}" if "*" in p[0] else "{x: 1}"), "merges make"),
        ("[" * 100_000, "nested too deeply"),
        ("a: " + "{a: " * 5_000, "nested too deeply"),
        (b"#" * (2 << 20), "larger than 1 MiB"),
        ("platform: " + "9" * 9_000, "is no valid int"),
        ("platform: " + "x" * 20_000, "a value of 20,000 characters"),
        ('platform: "' + "${A:-" * 1_000 + '"', "at most 100"),
        ("a: &a " + "x" * 9_000 + "\nb: [" + "*a, " * 150_000 + "]", "more than 100,000"),
        ("platform: !!python/object/apply:os.system ['touch MARK']", "is not allowed"),
        ("platform: !!python/name:os.system", "could not determine a constructor"),
        ("--- a\n--- b", "another document"),
    ],
)  # fmt: skip
def test_bombs_and_tags_are_refused_soon(folder, monkeypatch, text, says):
    monkeypatch.chdir(folder)
    assert says in messages(folder, text)
    assert not (folder / "MARK").exists()


def test_a_device_is_no_declaration():
    assert "larger than 1 MiB" in check_config("/dev/zero")[1][0].message


def test_what_a_variable_holds_is_text_and_never_yaml(folder, monkeypatch):
    monkeypatch.setenv("NASTY", "x, role: target}\n!!python/object/apply:os.system ['touch MARK'] ${HOME}")
    (folder / "d.yaml").write_text(GOOD.replace("{role: source", '{title: "${NASTY}", role: source'))
    shop = load_config(folder / "d.yaml").domains["shop"]
    assert shop.role == "source"
    assert shop.title.endswith("${HOME}")


@pytest.mark.parametrize(
    "name", ["../shop", "a/b", "..", ".", "/etc", "shop\n", "Shop", "a b", "", "x" * 101, "sh\0op", "ſhop"]
)
def test_a_name_that_is_no_folder_is_refused(folder, name):
    import json

    quoted = json.dumps(name)
    assert issues(folder, GOOD.replace("  shop:", f"  {quoted}:"))
    assert issues(folder, GOOD.replace("platform: tiny", f"platform: {quoted}"))


@pytest.mark.parametrize("path", ["../shop.csv", "logs/../../shop.csv", "../*.csv", "a\\..\\shop.csv"])
def test_a_relative_path_does_not_leave_data(folder, path):
    assert "leaves `data`" in messages(folder, GOOD.replace("shop.csv", path))
    absolute = GOOD.replace("shop.csv", str(folder / "shop.csv"))
    assert issues(folder, absolute) == []


@pytest.mark.parametrize(
    "table", ["log; drop table log", 'log"', "a.b.c", "log\n", "log--", "", "1log", "main.log "]
)
def test_a_table_is_a_plain_name(folder, table):
    import json

    text = GOOD.replace("path: shop.csv", f"sql: 'sqlite:///x.sqlite', table: {json.dumps(table)}")
    assert "plain identifiers" in messages(folder, text)


REFUSED = [
    ("sqlite:///a.db?plugin=evil", "plugin"),
    ("sqlite:///a.db?mode=rwc", "mode"),
    ("sqlite:///file:a.db?uri=true", "file:"),
    ("sqlite:///file:/etc/passwd?mode=rw&uri=true", "file:"),
    ("sqlite:///../a.db", "leaves `data`"),
    ("sqlite://", "in memory"),
    ("sqlite:///:memory:", "in memory"),
    ("postgresql://h/d?plugin=a&plugin=b", "plugin"),
    ("postgresql://h/d?options=-c%20log_statement=all", "options"),
    ("postgresql://h/d?passfile=/etc/shadow", "passfile"),
    ("postgresql://h/d?service=x", "service"),
    ("mysql://h/d?local_infile=1", "local_infile"),
    ("mysql+pymysql://h/d?read_default_file=/etc/my.cnf", "read_default_file"),
    ("mariadb://h/d?init_command=drop%20table%20x", "init_command"),
    ("mssql+pyodbc:///?odbc_connect=DRIVER%3D/tmp/x.so", "odbc_connect"),
    ("mssql+pyodbc://h/d?driver=/tmp/x.so", "path"),
    ("oracle://h/d?encoding=x", "encoding"),
    ("evil+driver://h/d", "no dialect"),
    ("os.system://h/d", "not a SQLAlchemy URL"),
]


@pytest.mark.parametrize(("url", "says"), REFUSED)
def test_options_that_run_code_or_read_files_are_refused(folder, url, says):
    text = GOOD.replace("path: shop.csv", f"sql: '{url}', table: log")
    found = issues(folder, text)
    assert says in found[0].message
    assert found[0].line == 3


@pytest.mark.parametrize("url", [
    "sqlite:///a.db", "sqlite:////abs/a.db", "postgresql://u:p@h/d?sslmode=require&connect_timeout=5",
    "postgresql://u@/d?host=/var/run/postgresql",
])  # fmt: skip
def test_urls_that_say_how_to_connect_are_fine(url):
    assert source_url_problem(url) is None or "is not installed" in source_url_problem(url)[0]


def test_a_secret_in_a_refused_url_is_not_repeated(folder):
    text = GOOD.replace("path: shop.csv", "sql: 'postgresql://u:hunter2@h/d?options=hunter3', table: log")
    with pytest.raises(ConfigError) as caught:
        load_config((folder / "domains.yaml").write_text(text) and folder / "domains.yaml")
    assert "hunter" not in str(caught.value)
