import re

import pytest

from hier_dag.errors import UsageError
from hier_dag.evaluate.ablation_section import Earned
from hier_dag.evaluate.page import card_html, report_html


@pytest.fixture
def earned():
    """Paths earn with three interactions, residuals cost there and have no part in zero-shot."""
    return {
        "cafe": [
            Earned("<paths>", "3", 10, 0.0123, 0.0101, 0.0145, 0.00002),
            Earned("residuals", "3", 10, -0.004, -0.006, -0.002, 0.034),
            Earned("profiles", "3", 10, 0.001, -0.002, 0.004, 0.61),
            Earned("residuals", "0", 10, 0.0, 0.0, 0.0, 1.0),
        ]
    }  # fmt: skip


def fetched(html):
    """Everything in a page that a browser would go and get."""
    inside = re.findall(r'(?:src|href|srcset|data|action)\s*=\s*"([^"]*)"', html)
    return [x for x in inside if not x.startswith("#")] + re.findall(r"url\((?!#)[^)]*\)|@import", html)


def test_a_page_fetches_nothing_and_runs_nothing(report, earned):
    for html in (card_html(report, "cafe", earned), report_html(report, "All targets")):
        assert html.startswith("<!DOCTYPE html>")
        assert fetched(html) == []
        assert "http://" not in html
        assert "https://" not in html
        assert "<script" not in html
        assert html.count("<svg") >= 2
        ids = re.findall(r'\bid="([^"]+)"', html)
        assert len(ids) == len(set(ids))
        assert {h for h in re.findall(r'href="#([^"]+)"', html)} <= set(ids)
        assert html == (card_html(report, "cafe", earned) if "All targets" not in html else html)


def test_a_card_shows_verdict_models_slices_and_how_to_read_it(report):
    html = card_html(report, "cafe")
    for words in (
        "HIER beats the strongest baseline", "Quality against shots", "Against the baselines",
        "What transfer adds or costs", "Every model", "entity profile", "Users without source history",
        "How to read this", "300 test users", "3 seeds",
    ):  # fmt: skip
        assert words in html
    assert "What each module earns" not in html
    assert "Beyond accuracy" not in html


def test_figures_have_a_true_minus_and_words_keep_their_hyphens(report):
    html = card_html(report, "cafe")
    assert "3 per user (−50\u00a0% on popularity)" in html
    assert "few-shot" in html
    assert "few−shot" not in html


def cells(html, head):
    """What stands in the row of the ablations' table that has a head."""
    section = html[html.index("What each module earns") :]
    row = re.search(rf">{head}</th>(.*?)</tr>", section, re.DOTALL).group(1)
    return re.findall(r"<td(?: class=\"(\w+)\")?>(.*?)(?:<small>(.*?)</small>)?</td>", row)


@pytest.mark.parametrize("whole", [False, True])
def test_a_card_says_what_every_module_earns_in_every_setting(report, earned, whole):
    html = report_html(report, "All", earned) if whole else card_html(report, "cafe", earned)
    heads = re.findall(r'<th scope="col">(.*?)</th>', html[html.index("What each module earns") :])
    assert heads == ["module", "zero-shot: NDCG@10", "p", "3 per user: NDCG@10", "p"]
    nothing = [("level", "–", "")] * 2
    won = [("beats", "+0.0123", "[+0.0101, +0.0145]"), ("", "&lt; 0.001", "")]
    lost = [("loses", "−0.0040", "[−0.0060, −0.0020]"), ("", "0.034", "")]
    level = [("level", "+0.0010", "[−0.0020, +0.0040]"), ("", "0.61", "")]
    assert cells(html, "&lt;paths&gt;") == nothing + won
    assert cells(html, "residuals") == [("level", "no part", ""), nothing[0], *lost]
    assert cells(html, "profiles") == nothing + level


def test_a_card_of_a_target_without_ablations_says_how_to_make_them(report, earned):
    html = card_html(report, "cafe", {"bar": earned["cafe"]})
    section = html[html.index("What each module earns") :]
    assert "Not measured in cafe" in section
    assert "hier study ablation" in section
    assert "<th" not in section


def test_names_cannot_become_markup(report):
    at = report.schema.get_field_index("model")
    names = ["<b>&bad</b>" if m == "popularity" else m for m in report["model"].to_pylist()]
    odd = report.set_column(at, report.schema.field("model"), [names])
    html = card_html(odd, "cafe")
    assert "<b>" not in html
    assert "&lt;b&gt;&amp;bad&lt;/b&gt;" in html


def test_a_domain_without_records_is_named(report):
    with pytest.raises(UsageError, match="domain zoo"):
        card_html(report, "zoo")
