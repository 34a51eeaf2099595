"""`hier report`: a table that stays narrow, every baseline on request, pages that open offline."""

import json
import re

import numpy as np
import pytest
import yaml
from rich.console import Console

from hier_dag.cli.report_table import figures_table, models_table
from hier_dag.evaluate.metrics import declared_metrics
from hier_dag.evaluate.records import Scored, make_records

TARGETS = ("grocery", "table_booking", "recipes", "experiences")


@pytest.fixture(scope="module")
def records():
    """Two targets with fifteen baselines of long names."""
    metrics = declared_metrics((10,))
    rng = np.random.default_rng(0)
    out = []
    for domain in ("arts_and_entertainment", "cafe"):
        base = rng.random((60, len(metrics))).astype(np.float32) / 4
        scored = [Scored(shots, "hier", "closed_form", base + 0.1, 3) for shots in ("0", "3", "10%")]
        scored += [
            Scored(shots, f"some_baseline_of_a_long_name_{at}", "", base + at / 100, 3)
            for at in range(15) for shots in ("0", "3", "10%")
        ]  # fmt: skip
        out += make_records(domain, scored, metrics, np.zeros(60, np.int8), 200, 0).to_pylist()
    return out


def shown(thing, width=100):
    console = Console(width=width, emoji=False, force_terminal=False)
    with console.capture() as capture:
        console.print(thing)
    return capture.get()


def test_fifteen_baselines_fit_a_hundred_columns_with_every_figure_whole(records):
    text = shown(figures_table(records))
    assert max(len(line) for line in text.splitlines()) <= 100
    assert "arts_and_entertainment" in text
    cafe = text[text.index("cafe") : text.index("mean of targets")]
    row = next(line for line in cafe.splitlines() if line.strip().startswith("zero-shot"))
    found = {
        r["metric"]: r for r in records
        if (r["domain"], r["shots"], r["model"], r["slice"]) == ("cafe", "0", "hier", "all")
    }  # fmt: skip
    gain = found["ndcg_over_some_baseline_of_a_long_name_14"]
    for figure, sign in ((found["ndcg"], ""), (gain, "+")):
        for name in ("value", "low", "high"):
            assert f"{figure[name]:{sign}.4f}".replace("0.", ".", 1) in row
    assert f"{found['hr']['value']:.4f}"[1:] in row
    assert "some baseline" in row


def test_the_last_table_holds_the_means_of_targets(records):
    text = shown(figures_table(records))
    mean = text[text.index("mean of targets") :]
    values = [
        r["value"] for r in records
        if (r["shots"], r["model"], r["metric"], r["slice"]) == ("3", "hier", "ndcg", "all")
    ]  # fmt: skip
    row = next(line for line in mean.splitlines() if line.strip().startswith("3/user"))
    assert f"{np.mean(values):.4f}"[1:] in row
    assert "-.0400" in row


def test_every_model_has_a_row(records):
    text = shown(models_table(records, "cafe"))
    assert max(len(line) for line in text.splitlines()) <= 100
    for at in range(15):
        assert f"some baseline of a long name {at} " in text
    rows = [line for line in text.splitlines() if "some baseline" in line]
    assert "name 14 " in rows[0]
    assert "name 0 " in rows[-1]


def test_all_json_and_pages(platform, hier, tmp_path):
    code, text, _ = hier("report", "--all")
    assert code == 0
    for domain in TARGETS:
        assert f"{domain}: NDCG@10" in text
    html, folder = tmp_path / "new" / "report.html", tmp_path / "cards"
    code, text, _ = hier("report", "--html", html, "--out", folder)
    assert code == 0
    assert f"Written: {html}" in text
    page = html.read_text(encoding="utf-8")
    assert page == (folder / "index.html").read_text(encoding="utf-8")
    for domain in TARGETS:
        assert f'<article id="{domain}">' in page
        assert (folder / f"{domain}.png").read_bytes().startswith(b"\x89PNG")
        assert f"### {domain}" in (folder / f"{domain}.md").read_text(encoding="utf-8")
        card = (folder / f"{domain}.html").read_text(encoding="utf-8")
        for words in ("HIER", "Beyond accuracy", "Coverage@10", "Items without a few-shot interaction"):
            assert words in card
        assert f"Not measured in {domain} on the newest graph: run `hier study ablation`" in card
    assert not (folder / "meal_kits.html").exists()
    code, text, _ = hier("report", "--json", "--out", tmp_path / "again")
    assert (code, len({r["domain"] for r in json.loads(text)})) == (0, 4)
    assert (tmp_path / "again" / "index.html").exists()


def test_records_hold_the_lists_the_slices_and_the_tests(platform, hier):
    records = json.loads(hier("report", "--json").out)
    metrics = {r["metric"] for r in records}
    assert metrics >= {"hr", "ndcg", "recall", "mrr", "coverage", "gini", "novelty", "ndcg_over_popularity"}
    assert metrics >= {"p_ndcg_over_popularity", "ndcg_over_zero_shot", "p_ndcg_over_zero_shot"}
    assert {r["slice"] for r in records} >= {"all", "with_history", "cold_items"}
    assert all(0 <= r["value"] <= 1 for r in records if r["metric"] in ("coverage", "gini", "hr", "ndcg"))
    assert all(0 < r["value"] <= 1 for r in records if r["metric"].startswith("p_"))
    assert not any(r["slice"] == "cold_items" and r["setting"] == "zero_shot" for r in records)


def test_cards_show_what_the_ablations_that_are_done_say_and_train_nothing(own, hier, tmp_path):
    document = yaml.safe_load(own.domains.read_text(encoding="utf-8"))
    document["studies"] = {"shots": ["0", "1"], "targets": ["recipes"]}
    own.domains.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    cells = ["no_profiles", "no_paths", "no_paths_control"]
    assert hier("study", "ablation", "--cells", ",".join(cells), "--domains", own.domains).code == 0
    folder = tmp_path / "cards"

    def card(domain):
        before = own.artifacts()
        answer = hier("report", "--domains", own.domains, "--out", folder)
        assert answer.code == 0
        assert answer.err == ""
        assert own.artifacts() == before
        html = (folder / f"{domain}.html").read_text(encoding="utf-8")
        assert html[html.index("What each module earns") :].split("<h2>")[0] in (
            (folder / "index.html").read_text(encoding="utf-8")
        )
        return html

    assert "Not measured in recipes" in card("recipes")  # nothing to compare with yet
    asked = hier("study", "ablation", "--cells", "default", "--domains", own.domains, "--json")
    figures = {
        (r["cell"], r["shots"]): r for r in json.loads(asked.out)["figures"]
        if (r["domain"], r["metric"]) == ("recipes", "ndcg")
    }  # fmt: skip
    html = card("recipes")
    section = html[html.index("What each module earns") :].split("<h2>")[0]
    assert re.findall(r'<th scope="row">(.*?)</th>', section) == [
        "untrained entity profiles", "decision paths of the interaction side",
    ]  # fmt: skip
    change = figures["no_profiles", "0"]
    assert change["change"] != 0
    assert f"{-change['change']:+.4f}".replace("-", "−") in section
    assert f"[{-change['change_high']:+.4f}, {-change['change_low']:+.4f}]".replace("-", "−") in section
    assert "Not measured in grocery" in card("grocery")
