"""Ids, names and paths with square brackets, colons and backslashes are shown as they are."""

import pytest

from hier_dag.cli.output import out, print_error
from hier_dag.cli.recommend import best_table
from hier_dag.cli.report import NOTHING_TO_SCORE
from hier_dag.cli.report_table import figures_table
from hier_dag.cli.why_view import tree_of
from hier_dag.errors import UsageError
from hier_dag.lineage.why import Why
from hier_dag.publish.reader import Recommendation

ODD = ["[/]", "[/b]", "[red]x[/red]", ":heart:", "a\\", "a\\\\", "[bold", "x[/", "[1]"]


def shown(thing):
    with out.capture() as capture:
        out.print(thing)
    return capture.get()


@pytest.mark.parametrize("name", ODD)
def test_in_recommendations(name):
    text = shown(best_table(f"cafe for {name}", [Recommendation(f"i{name}", f"n{name}", 0.5, "trained")]))
    assert f"cafe for {name}" in text
    assert f"i{name} " in text
    assert f"n{name} " in text


@pytest.mark.parametrize("name", ODD)
def test_in_the_walk_back_to_raw_rows(name):
    artifact = {
        "kind": "raw/events", "partition": "cafe", "digest": "d" * 64, "seeds": {}, "run_id": "r",
        "who": f"w{name}", "environment": "e" * 64,
        "code_version": "1", "code_commit": f"c{name}", "created_at": "2026", "parents": {},
        "checks": [{"name": f"check{name}", "passed": False}],
        "inputs": [{"location": f"logs/{name}", "sha256": "s" * 64}],
    }  # fmt: skip
    lost = {"rows_in": 2, "rows_out": 1, "quarantined": {f"q{name}": 1}, "deduplicated": 0}
    raw = {"file": f"logs/{name}", "sha256": "s" * 64, "rows": 1, "row_numbers": [3], "of_the_file": lost}
    release = {
        "at": "2026", "action": "publish", "who": f"me{name}", "why": f"reason{name}", "change": "same",
        "restores": None, "gates": [{"name": "g", "passed": True, "facts": {"message": f"m{name}"}}],
        "decisions": [], "versions": [],
    }  # fmt: skip
    found = Why("cafe", f"u{name}", "user", 1, "trained", 1.0, [artifact], [raw], release, {}, {}, {})
    text = shown(tree_of(found))
    said = (
        f"u{name}:",
        f"check{name}\n",
        f"w{name}, run",
        f"q{name} 1",
        f"me{name}, “reason{name}”",
        f"g m{name}",
    )
    for words in ("raw/events[cafe]", *said, f"logs/{name} sha256"):
        assert words in text


@pytest.mark.parametrize("name", ODD)
def test_in_errors(name, capfd):
    print_error(UsageError(f"m{name}", domain=f"d{name}", file=f"f{name}", column=f"c{name}", fix=f"x{name}"))
    assert (
        capfd.readouterr().err
        == f"✗ usage domain d{name}, file f{name}, column c{name}\n  m{name}\n  → x{name}\n"
    )


@pytest.mark.parametrize("name", ["[a]", "[slash]", "[red]", ":heart:"])
def test_in_a_checked_declaration(hier, tmp_path, name):
    file = tmp_path / f"{name}.yaml"
    file.write_text(f"platform: tiny\n'x{name}': 1\n'y[/b]': 2\ndomains: {{}}\n")
    code, text, _ = hier("check", file)
    assert code == 2
    assert f"{name}.yaml" in text.replace("\n", "")
    assert f"x{name}" in text
    assert "y[/b]" in text


def test_in_the_answer_to_a_good_declaration(hier, fresh):
    folder = fresh.domains.parent / "my [bold]"
    folder.mkdir()
    text = fresh.domains.read_text(encoding="utf-8").replace("data: data", "data: ../data")
    (folder / "domains.yaml").write_text(text, encoding="utf-8")
    code, answer, _ = hier("check", folder / "domains.yaml")
    assert code == 0
    assert f"Next: hier run '{folder}/domains.yaml'\n" in answer


def test_in_the_figures():
    keys = ("domain", "shots", "model", "slice", "metric", "k", "value", "low", "high")
    records = [
        dict(zip(keys, ("cafe", "0", model, "all", metric, 10, 0.5, 0.4, 0.6), strict=True))
        for model in ("hier", "base [/b]")
        for metric in ("ndcg", "hr")
    ]
    text = shown(figures_table(records))
    assert "base [/b]" in text
    assert "[.4000, .6000]" in text


def test_targets_that_have_nothing_to_score_are_a_table_too():
    text = shown(figures_table([], {"cafe": NOTHING_TO_SCORE}))
    assert "cafe" in text
    assert "nothing to score" in text
