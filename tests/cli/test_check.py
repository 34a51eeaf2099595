"""`hier check`: every mistake of a declaration at once, each with line and fix."""

import json

import pytest

WRONG = [  # old text, new text, the line that is wrong (by its new text), words of the message or the fix
    ("    role: source\n    title: Food", "    rolle: source\n    title: Food", "rolle: source", "'role'"),
    ("logs/local_guide.csv", "logs/local_gide.csv", "    sources:", "no file matches"),
    ('refresh: "0 4 * * *"', 'refresh: "0 4 * *"', '"0 4 * *"', "five-field cron"),
    ("  table_booking:\n", "  marketplace:\n", None, "declared twice"),
    ("  recipes:\n", "  Recipes & more:\n", None, "must match ^[a-z0-9_]+$"),
    ("dim: 16", "dims: 16", "dims: 16", "'dim'"),
]


def mistakes(hier, platform):
    """Issues of `hier check --json`, and the lines of the file."""
    code, out, _ = hier("check", platform.domains, "--json")
    answer = json.loads(out)
    assert code == (0 if answer["ok"] else 2)
    return answer["issues"], platform.domains.read_text(encoding="utf-8").splitlines()


def test_a_right_declaration_passes(hier, fresh):
    code, out, _ = hier("check", fresh.domains)
    assert code == 0
    assert "3 source and 5 target domains" in out
    # Unbroken, so that it can be copied whatever the terminal's width.
    assert f"Next: hier run {fresh.domains}\n" in out


@pytest.mark.parametrize(("old", "new", "at", "says"), WRONG, ids=[w[-1] for w in WRONG])
def test_one_mistake_is_named_with_its_line_and_a_fix(hier, fresh, old, new, at, says):
    text = fresh.domains.read_text(encoding="utf-8")
    assert text.count(old) == 1
    fresh.domains.write_text(text.replace(old, new), encoding="utf-8")
    issues, lines = mistakes(hier, fresh)
    named = [i for i in issues if says in i["message"] + i["fix"]]
    assert named, issues
    assert all(issue["fix"] for issue in named)
    assert any(at is None or at in lines[issue["line"] - 1] for issue in named)


def test_a_target_that_is_also_a_source_is_named_with_both_lines(hier, fresh):
    text = fresh.domains.read_text(encoding="utf-8")
    fresh.domains.write_text(text.replace("  table_booking:\n", "  marketplace:\n"), encoding="utf-8")
    issues, lines = mistakes(hier, fresh)
    (issue,) = [i for i in issues if "declared twice" in i["message"]]
    first, second = (n for n, line in enumerate(lines, 1) if line == "  marketplace:")
    assert issue["line"] == second
    assert f"line {first}" in issue["message"]
    assert "never both" in issue["fix"]


def test_all_mistakes_come_at_once_in_the_order_of_lines(hier, fresh):
    text = fresh.domains.read_text(encoding="utf-8")
    for old, new in (('"0 4 * * *"', '"often"'), ("dim: 16", "dim: 0"), ("title: Grocery", "titel: Grocery")):
        text = text.replace(old, new)
    fresh.domains.write_text(text, encoding="utf-8")
    issues, lines = mistakes(hier, fresh)
    assert [issue["line"] for issue in issues] == sorted(issue["line"] for issue in issues)
    assert {"titel: Grocery", '"often"', "dim: 0"} <= {
        words for words in ("titel: Grocery", '"often"', "dim: 0")
        for issue in issues if words in lines[issue["line"] - 1]
    }  # fmt: skip
    code, out, _ = hier("check", fresh.domains)
    assert code == 2
    assert f"{len(issues)} mistake(s)" in out
    for issue in issues:
        assert str(issue["line"]) in out
        assert issue["where"] in out


def test_missing_logs_are_all_named(hier, fresh):
    for name in ("grocery.jsonl", "experiences.parquet", "table_booking.sqlite"):
        (fresh.logs / name).unlink()
    issues, lines = mistakes(hier, fresh)
    said = " ".join(i["message"] + lines[i["line"] - 1] for i in issues)
    for name in ("grocery.jsonl", "experiences.parquet", "table_booking.sqlite"):
        assert name in said
    assert len(issues) == 3


@pytest.mark.parametrize("command", ["run", "report"])
def test_other_commands_refuse_a_wrong_declaration_too(hier, fresh, command):
    text = fresh.domains.read_text(encoding="utf-8")
    fresh.domains.write_text(text.replace("dim: 16", "dims: 16"), encoding="utf-8")
    option = ["--domains"] if command == "report" else []
    code, out, err = hier(command, *option, fresh.domains)
    assert code == 2
    assert "did you mean 'dim'?" in err
    assert f"file {fresh.domains}\n" in err
    code, out, _ = hier(command, *option, fresh.domains, "--json")
    assert code == 2
    error = json.loads(out)["error"]
    assert error["code"] == "config"
    assert error["detail"]["issues"][0]["line"] > 0
    assert not fresh.home.store.exists()


def test_a_declaration_that_is_not_there(hier, tmp_path):
    code, out, _ = hier("check", tmp_path / "none.yaml")
    assert code == 2
    assert "there is no such file" in out
