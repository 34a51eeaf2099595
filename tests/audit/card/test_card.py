"""A model card tells what the artifacts say, in a form that people and the Hub can read."""

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hier_dag.audit.card import facts
from hier_dag.audit.card.card import card_files
from hier_dag.audit.card.html import html
from hier_dag.audit.card.limits import limits
from hier_dag.audit.card.markdown import escaped, markdown
from hier_dag.audit.card.parts import Cell, Page, Part, Table
from hier_dag.audit.evidence.subject import subject_of
from hier_dag.evaluate.ablation_section import Earned
from hier_dag.evaluate.comparison import against_strongest
from hier_dag.evaluate.words import SLICE_WORDS, model_words, setting_words
from tests.retention.conftest import Town


def about(platform, domain):
    return subject_of(platform.store, platform.registry, "sample", domain)


@pytest.fixture
def card(platform):
    files = card_files(about(platform, "grocery"))
    return {name: data.decode() for name, data in files.items()}


def test_the_header_is_what_the_hub_reads_with_the_figures_of_the_report(platform, card):
    _, header, body = card["model_card.md"].split("---\n", 2)
    told, shown = yaml.safe_load(header), about(platform, "grocery").figures
    assert told["library_name"] == "hier_dag"
    assert "sample/food_delivery" in told["datasets"]
    (index,) = told["model-index"]
    assert index["name"] == "sample/grocery"
    for shots, result in zip(shown.shots, index["results"], strict=True):
        assert result["task"]["type"]
        assert result["dataset"].keys() >= {"type", "name"}
        for metric in result["metrics"]:
            figure = shown.get(metric["type"], shots, "hier")
            assert metric["value"] == pytest.approx(figure.value, abs=1e-6)
            assert metric["args"]["low"] <= metric["value"] <= metric["args"]["high"]
    assert body.lstrip().startswith("# Model card: grocery")


def test_counts_origins_and_figures_are_those_of_the_artifacts(platform, card):
    text = card["model_card.md"]
    told = platform.latest("publish/embeddings", "grocery").json("set.json")
    origins = [f"{told['user_origins'][o]:,}" for o in ("trained", "kg_inferred", "fallback")]
    assert f"| users | {told['users']:,} | {' | '.join(origins)} |" in text
    events = platform.latest("raw/events", "marketplace").manifest.summary
    assert f"| marketplace | source | {events['rows_out']:,} | {events['rows_in']:,} |" in text
    figure = about(platform, "grocery").figures.get("ndcg", "0", "hier")
    assert f"{figure.value:.4f} \\[{figure.low:.4f}, {figure.high:.4f}\\]" in text
    assert told["space"] in text
    assert "hier rollback grocery" in text
    assert "The ablation study was not run" in text


def test_every_slice_that_loses_is_named_as_a_limit_and_no_other(platform):
    subject = about(platform, "grocery")
    shown, said = subject.figures, limits(subject, subject.figures, None).points
    lost = 0
    for users, words in SLICE_WORDS.items():
        for shots in shown.shots:
            found = against_strongest(shown, shots, users)
            if found is None:
                continue
            start = f"{words[0].upper()}{words[1:]}, {setting_words(shots)}: HIER is below "
            start += model_words(found.rival)
            assert any(point.startswith(start) for point in said) == (found.gain.high < 0)
            lost += found.gain.high < 0
    assert lost
    assert any("users have no source history" in point for point in said)
    assert any("ablation study was not run" in point for point in said)


def test_what_the_modules_earn_is_told_where_it_was_measured(platform):
    earned = [Earned("decision paths", "1", 10, 0.012, 0.004, 0.02, 0.01)]
    files = card_files(about(platform, "grocery"), earned)
    text = files["model_card.md"].decode()
    assert r"| decision paths | +0.0120 \[+0.0040, +0.0200\], p 0.01 |" in text
    assert "was not run" not in text


def test_a_domain_that_nothing_was_scored_in_says_so(platform):
    files = {name: data.decode() for name, data in card_files(about(platform, "meal_kits")).items()}
    header = yaml.safe_load(files["model_card.md"].split("---\n", 2)[1])
    assert "model-index" not in header
    assert "How well these vectors rank is not known." in files["model_card.md"]
    assert "ndcg_by_setting.svg" not in files


def test_intended_use_names_an_index_seen_pairs_and_a_score_where_the_set_has_them(platform, tmp_path):
    def use(subject):
        return " ".join(facts.use(subject)[0].points)

    told = use(about(platform, "grocery"))
    assert "the score of a user and an item is the inner product of their vectors" in told
    assert "Find candidates with the index in the set." in told
    assert "seen.parquet" in told
    town = Town(tmp_path)
    town.publish("a set without any of them")
    bare = use(subject_of(town.store, town.registry, "town", "cafe"))
    assert bare.startswith("Rank the items of cafe for its users; only the order")
    assert not any(word in bare for word in ("index", "seen", "inner product", "None"))


@pytest.mark.parametrize("domain", ["grocery", "meal_kits"])
def test_the_targets_own_events_are_told_to_enter_where_they_did(platform, domain):
    subject = about(platform, domain)
    zero = platform.latest("finetune/model", domain).json("method.json")["shots"] == "0"
    said = facts.data(subject).text[0]
    assert zero == (domain == "meal_kits")
    assert ("No event of the target enters" in said) == zero
    assert ("training events enter afterwards" in said) != zero


def test_pictures_of_the_markdown_lie_beside_it(card):
    named = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", card["model_card.md"])
    assert set(named) == {"ndcg_by_setting.svg", "decision_paths.svg"}
    assert all(card[name].startswith("<svg xmlns=") for name in named)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40))
def test_names_from_logs_are_text_in_markdown_whatever_they_hold(name):
    tokens = (
        MarkdownIt("gfm-like", {"linkify": False, "html": True}).parseInline(f"x{escaped(name)}x")[0].children
    )
    assert {token.type for token in tokens} <= {"text", "text_special", "softbreak"}
    shown = "".join(token.content for token in tokens)
    assert shown.split() == f"x{escaped_breaks(name)}x".split()


def escaped_breaks(name):
    return re.sub(r"\s*[\r\n\x0b\x0c\x85\u2028\u2029]+\s*", " ", name)


def test_names_from_logs_are_text_in_html():
    table = Table(("<b>", "x"), (("<img src=x>", Cell("a&b", "<i>")),))
    page = Page("<script>alert(1)</script>", "l", ("v",), ("c",), (Part("p", ("<u>",), tables=(table,)),))
    made = html(page)
    assert not re.search(r"<(script|img|b|i|u)\b", made)
    assert "&lt;script&gt;" in made
    assert r"| \<img src=x\> | a\&b \<i\> |" in markdown(page)
