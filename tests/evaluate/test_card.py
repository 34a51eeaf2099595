import pytest

from hier_dag.errors import UsageError
from hier_dag.evaluate.card import card_markdown


def test_the_verdict_says_where_hier_wins_ties_and_loses(report):
    sentence = card_markdown(report, "cafe").splitlines()[2]
    wins, level, loses = sentence.split("; it ")
    assert wins.startswith("HIER beats the strongest baseline")
    assert "zero-shot (+200 % on entity profile)" in wins
    assert "no clear difference" in level
    assert "1 %" in level
    assert "loses" in loses
    assert "3 per user (-50 % on popularity)" in loses
    assert sentence.endswith(".")
    assert sentence.count(".") == 1


def test_the_table_bolds_the_best_and_leaves_a_dash_where_a_baseline_does_not_exist(report):
    rows = [line for line in card_markdown(report, "cafe").splitlines() if line.startswith("| ")]
    zero_shot = next(row for row in rows if row.startswith("| zero-shot | NDCG@10"))
    assert "**0.3" in zero_shot
    assert "| – |" in zero_shot
    assert any(row.startswith("| 3 per user, closed form | NDCG@10 | 0.2") for row in rows)
    assert any("users without source history (150) | zero-shot" in row for row in rows)


def test_a_domain_without_records_is_named(report):
    with pytest.raises(UsageError, match="domain zoo"):
        card_markdown(report, "zoo")
