import numpy as np
import pyarrow.compute as pc
import pytest

from hier_dag.errors import UsageError
from hier_dag.evaluate.card import card_markdown, leading
from hier_dag.evaluate.figures import figures
from hier_dag.evaluate.metrics import declared_metrics
from hier_dag.evaluate.records import Scored, make_records


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


def test_the_standing_among_all_baselines_is_corrected_for_their_number(report):
    card = card_markdown(report, "cafe")
    zero_shot = next(row for row in card.splitlines() if row.startswith("| zero-shot | entity profile"))
    assert zero_shot.endswith("| above 2 of 2 |")
    assert any(row.endswith("| above 0 of 1; level with popularity |") for row in card.splitlines())
    assert any(row.endswith("| above 0 of 1; below popularity |") for row in card.splitlines())
    assert "Holm-corrected" in card


def test_what_transfer_costs_is_said(report):
    sentence = card_markdown(report, "cafe").splitlines()[4]
    assert sentence.startswith("With 3 per user, transfer costs 0.2")
    assert "over popularity, the strongest model on the target's own few-shot data" in sentence
    assert "the few-shot data themselves bring -0.1" in sentence


def test_a_single_clear_result_stands_alone_in_the_verdict(report):
    def card(shots):
        return card_markdown(report.filter(pc.equal(report["shots"], shots)), "cafe").splitlines()[2]

    assert card("0") == "HIER beats the strongest baseline in NDCG with zero-shot (+200 % on entity profile)."
    assert card("3") == "HIER loses to the strongest baseline in NDCG with 3 per user (-50 % on popularity)."
    assert card("1%") == "HIER shows no clear difference with 1 % (+0 % on popularity)."


def test_of_many_baselines_the_strongest_and_popularity_are_shown():
    metrics = declared_metrics((10,))
    values = np.random.default_rng(0).random((40, len(metrics))).astype(np.float32) / 10
    scored = [Scored("1", "hier", "full", values + 10 / 100, 1), Scored("1", "popularity", "", values, 1)]
    scored += [Scored("1", f"model_{at}", "", values + at / 100, 1) for at in range(12)]
    table = make_records("cafe", scored, metrics, np.zeros(40, np.int8), 50, 0)
    shown = figures(table, "cafe")
    assert leading(shown, 3) == ("popularity", "model_10", "model_11")
    card = card_markdown(table, "cafe")
    assert "7 weaker baselines are left out of this table." in card
    assert "above 11 of 13; level with model 10; below model 11" in card
