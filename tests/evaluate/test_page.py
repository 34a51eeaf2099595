import re

import numpy as np
import pytest

from hier_dag.errors import UsageError
from hier_dag.evaluate.metrics import declared_metrics
from hier_dag.evaluate.page import card_html, report_html
from hier_dag.evaluate.records import Scored, make_records


@pytest.fixture
def variants():
    """Ablations: paths earn, exemplar contrast does not."""
    metrics = declared_metrics((10,))
    rng = np.random.default_rng(1)
    base = rng.random((200, len(metrics))).astype(np.float32) / 2
    scored = [
        Scored("3", "hier", "full", base + 0.2, 1), Scored("3", "hier", "paths_control", base, 1),
        Scored("3", "hier", "no_ecl", base + 0.2, 1),
    ]  # fmt: skip
    return make_records("cafe", scored, metrics, np.zeros(200, np.int8), resamples=200, seed=0)


def fetched(html):
    """Everything in a page that a browser would go and get."""
    inside = re.findall(r'(?:src|href|srcset|data|action)\s*=\s*"([^"]*)"', html)
    return [x for x in inside if not x.startswith("#")] + re.findall(r"url\((?!#)[^)]*\)|@import", html)


def test_a_page_fetches_nothing_and_runs_nothing(report, variants):
    for html in (card_html(report, "cafe", variants), report_html(report, "All targets")):
        assert html.startswith("<!DOCTYPE html>")
        assert fetched(html) == []
        assert "http://" not in html
        assert "https://" not in html
        assert "<script" not in html
        assert html.count("<svg") >= 2
        ids = re.findall(r'\bid="([^"]+)"', html)
        assert len(ids) == len(set(ids))
        assert {h for h in re.findall(r'href="#([^"]+)"', html)} <= set(ids)
        assert html == (card_html(report, "cafe", variants) if "All targets" not in html else html)


def test_a_card_shows_verdict_models_slices_and_how_to_read_it(report):
    html = card_html(report, "cafe")
    for words in (
        "HIER beats the strongest baseline", "Quality against shots", "Against the baselines",
        "What transfer adds or costs", "Every model", "entity profile", "Users without source history",
        "How to read this", "300 test users", "3 seeds",
    ):  # fmt: skip
        assert words in html
    assert "What each part earns" not in html
    assert "Beyond accuracy" not in html


def test_figures_have_a_true_minus_and_words_keep_their_hyphens(report):
    html = card_html(report, "cafe")
    assert "3 per user (−50\u00a0% on popularity)" in html
    assert "few-shot" in html
    assert "few−shot" not in html


def test_ablations_have_their_section_with_the_gain_of_the_full_model(report, variants):
    html = card_html(report, "cafe", variants)
    section = html[html.index("What each part earns") :]
    row = re.search(r"paths control</th>(.*?)</tr>", section, re.DOTALL).group(1)
    assert 'class="beats">+0.2000' in row
    row = re.search(r"no ecl</th>(.*?)</tr>", section, re.DOTALL).group(1)
    assert 'class="level">+0.0000' in row
    assert "What each part earns" not in card_html(report, "cafe", report)


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
