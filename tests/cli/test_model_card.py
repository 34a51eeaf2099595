"""`hier audit card` shows the model card, or writes it as pages."""

import json


def test_it_prints_markdown_with_a_header(hier, platform):
    answer = hier("audit", "card", "grocery")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("---\nlibrary_name: hier_dag\n")
    assert "# Model card: Grocery" in answer.out  # as domains.yaml calls it
    assert "## Limits" in answer.out


def test_it_writes_pages_and_pictures(hier, platform, tmp_path):
    answer = hier("audit", "card", "grocery", "--out", tmp_path / "card", "--json")
    assert answer.code == 0, answer.err
    told = json.loads(answer.out)
    names = {"model_card.md", "model_card.html", "ndcg_by_setting.svg", "decision_paths.svg"}
    assert {p.name for p in (tmp_path / "card").iterdir()} == names
    assert set(told["files"]) == {str(tmp_path / "card" / n) for n in names}
    assert told["card"] == (tmp_path / "card" / "model_card.md").read_text(encoding="utf-8")


def test_what_is_not_there_is_a_usage_error(hier, platform):
    answer = hier("audit", "card", "grocery", "--version", "9")
    assert answer.code == 2
    assert "live has no version 9" in answer.err
