"""domains.yaml: every mistake at once, each with its line and its fix."""

import textwrap
from pathlib import Path

import pytest

from hier_dag.config import check_config, load_config
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
    sources: {path: cafe.csv, columns: {user_id: uid}}
"""


def check(folder, text):
    path = folder / "domains.yaml"
    path.write_text(textwrap.dedent(text))
    return check_config(path)


def test_a_good_file_has_no_mistakes(folder):
    config, issues = check(folder, GOOD)
    assert not issues
    assert config.source_names == ("shop",)
    assert config.target_names == ("cafe",)
    assert config.split_of("shop").test == 0.0
    assert config.split_of("cafe").test == 0.5
    assert config.data_dir() == folder


@pytest.mark.parametrize(
    ("old", "new", "line", "says", "fix"),
    [
        ("role: target", "rolle: target", 8, "Extra inputs", "did you mean 'role'?"),
        ("path: cafe.csv", "path: gone.csv", 9, "no file matches", "HIER_DATA"),
        ('"0 3 * * *"', '"0 3 * *"', 6, "five-field cron", "docs/domains_yaml.md"),
        ("  cafe:", "  Café:", 2, "must match", "docs/domains_yaml.md"),
        ("  cafe:", "  shop:", 7, "declared twice (first on line 3)", "never both"),
        ("role: target", "role: source", 2, "at least one domain must have `role: target`", "docs"),
        ("path: cafe.csv,", "path: cafe.xls,", 9, "no format declared", "docs"),
        ("{path: cafe.csv,", "{path: cafe.csv, sql: 'sqlite:///x.db',", 9, "either `path` or `sql`", "docs"),
        ("path: shop.csv", "path: '${NO_SUCH_VAR}/shop.csv'", 5, "NO_SUCH_VAR is not set", "export"),
        ("platform: tiny", "platform: tiny\nstages: {pretrain: {dim: 0}}", 2, "dim must be at least 1", ""),
        ("platform: tiny", "platform: tiny\nstages: {pretrain: {dims: 8}}", 2, "", "did you mean 'dim'?"),
        ("platform: tiny", "platform: tiny\nstages: {transfer: {shots: ['few']}}", 2, "few", "docs"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_line_and_fix(folder, old, new, line, says, fix):
    _, issues = check(folder, GOOD.replace(old, new))
    assert [i for i in issues if i.line == line and says in i.message and fix in i.fix], issues


def test_all_mistakes_are_reported_together(folder):
    text = GOOD.replace("role: target", "rolle: target").replace('"0 3 * * *"', '"often"')
    text = text.replace("columns: {user_id", "columns: {userid")
    _, issues = check(folder, text)
    assert {6, 8, 9} <= {i.line for i in issues}


def test_load_raises_with_every_mistake_in_the_message(folder):
    path = folder / "domains.yaml"
    path.write_text(GOOD.replace("role: target", "rolle: target").replace('"0 3 * * *"', '"often"'))
    with pytest.raises(ConfigError, match=r"(?s)line 6.*line 8"):
        load_config(path)


def test_tags_are_refused_not_executed(folder):
    marker = folder / "executed"
    config, issues = check(folder, f"platform: !!python/object/apply:os.mknod ['{marker}']\n")
    assert config is None
    assert issues[0].where == "YAML"
    assert not marker.exists()


def test_data_from_the_environment_starts_at_the_working_directory(folder, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / "domains.yaml").write_text("data: ${HIER_DATA:-data}\n" + GOOD)
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HIER_DATA", "..")
    assert load_config(folder / "domains.yaml").data_dir() == tmp_path
    monkeypatch.delenv("HIER_DATA")
    assert load_config(folder / "domains.yaml").data_dir() == folder / "data"


def test_a_target_without_logs_needs_a_catalogue_and_the_platform_as_audience(folder):
    text = GOOD + "  new:\n    role: target\n"
    _, issues = check(folder, text)
    assert any("needs a `catalogue`" in i.message for i in issues)
    _, issues = check(folder, text + "    catalogue: {path: shop.csv}\n")
    assert any("audience: platform" in i.message for i in issues)
    _, issues = check(folder, text + "    catalogue: {path: shop.csv}\n    audience: platform\n")
    assert not issues


def test_a_table_name_cannot_carry_sql(folder):
    text = GOOD.replace("{path: shop.csv}", "{sql: 'sqlite:///x.db', table: 'logs; drop table logs'}")
    _, issues = check(folder, text)
    assert any("plain identifiers" in i.message for i in issues)


@pytest.mark.parametrize("platform", ["yelp_city", "yelp_category"])
def test_the_examples_are_typed_right(platform):
    repo = Path(__file__).parents[2]
    _, issues = check_config(repo / "examples" / platform / "domains.yaml", check_files=False)
    assert not issues


@pytest.mark.parametrize(
    ("kind", "needs"),
    [
        ("{kind: global_time, validation_from: 2026-01-01, test_from: 2026-02-01}", "columns.event_time,"),
        ("{kind: per_user_order}", "columns.event_time or columns.position"),
    ],
)
def test_a_split_that_a_source_has_no_column_for_is_a_mistake(folder, kind, needs):
    _, issues = check(folder, GOOD + f"    split: {kind}\n")
    assert [(i.line, i.where) for i in issues] == [(9, "domains.cafe.sources.0")]
    assert needs in issues[0].fix
    mapped = GOOD.replace("uid}", "uid, event_time: at}") + f"    split: {kind}\n"
    assert not check(folder, mapped)[1]
