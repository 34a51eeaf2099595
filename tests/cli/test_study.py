"""`hier study`: list, run, show; what it refuses."""

import json

import pyarrow.parquet as pq
import pytest
import yaml

from hier_dag.cli.time_left import TimeLeft, duration
from hier_dag.pipeline.stages import MODEL
from tests.databases import of_sqlite


@pytest.fixture
def small(own):
    """A platform whose scaling study has two cells."""
    document = yaml.safe_load(own.domains.read_text(encoding="utf-8"))
    document["studies"] = {
        "shots": ["0", "1"], "targets": ["recipes"], "scaling": {"links": [0.5], "sources": []}
    }  # fmt: skip
    own.domains.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return own


def test_a_study_is_run_shown_and_listed(small, hier, tmp_path):
    answer = hier("study", "scaling", "--domains", small.domains, "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    assert "✓  1/2 study/scaling[default_s0]" in answer.out
    assert "What do more links" in answer.out
    assert "2 of 2 cells done" in answer.out
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"scaling.png", "scaling.md", "scaling.parquet"}
    assert (tmp_path / "out" / "scaling.png").read_bytes().startswith(b"\x89PNG")
    assert "| KG links kept, % | zero-shot | 50 |" in (tmp_path / "out" / "scaling.md").read_text()

    listed = hier("study", "--list", "--domains", small.domains)
    assert "scaling  2/2 done" in listed.out
    assert "✓ links_50_s0" in listed.out
    assert "sensitivity  0/" in listed.out

    again = json.loads(hier("study", "scaling", "--domains", small.domains, "--json").out)
    assert [c["outcome"] for c in again["cells"]] == ["reused", "reused"]
    figures = pq.read_table(tmp_path / "out" / "scaling.parquet").to_pylist()
    assert again["figures"] == figures
    assert (small.home.root / "studies" / "scaling.png").is_file()


def test_one_cell_alone_is_run_and_what_the_summary_lacks_is_told(small, hier):
    answer = hier("study", "scaling", "--cells", "links_50", "--domains", small.domains)
    assert answer.code == 0
    assert "default_s0" not in answer.out
    assert "1 of 2 cells are done; a summary needs: default." in answer.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["scalign"], "did you mean scaling?"),
        ([], "name one of sensitivity, scaling, ablation, interpretability, platforms"),
        (["scaling", "--cells", "links_51"], "did you mean links_50?"),
        (["scaling", "--domains", "other.yaml"], "`platforms` alone takes several"),
    ],
)
def test_what_does_not_exist_is_a_usage_error(small, hier, arguments, said):
    answer = hier("study", *arguments, "--domains", small.domains)
    assert answer.code == 2
    assert said in answer.err


def test_without_a_graph_nothing_is_run_and_the_fix_is_told(fresh, hier):
    answer = hier("study", "scaling", "--domains", fresh.domains)
    assert answer.code == 1
    assert "kg/graph has not been made yet" in answer.err
    assert "✓" not in answer.out


def test_a_graph_of_other_domains_is_told(small, hier):
    document = yaml.safe_load(small.domains.read_text(encoding="utf-8"))
    document["domains"]["recipes"]["role"] = "source"
    del document["studies"]
    small.domains.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    answer = hier("study", "scaling", "--domains", small.domains)
    assert answer.code == 1
    assert "made of other domains" in answer.err


@of_sqlite
def test_platforms_stand_side_by_side(small, hier, tmp_path):
    # The same logs under another name: its report must be the same, in its own row.
    text = small.domains.read_text(encoding="utf-8").replace("platform: sample", "platform: twin")
    twin = small.folder / "twin.yaml"
    twin.write_text(text, encoding="utf-8")
    assert hier("run", twin).code == 0
    answer = hier("study", "platforms", "--domains", small.domains, "--domains", twin, "--json")
    assert answer.code == 0, answer.err
    said = json.loads(answer.out)
    assert [(c["cell"], c["outcome"]) for c in said["cells"]] == [("sample", "made"), ("twin", "made")]
    by_platform = {"sample": {}, "twin": {}}
    for r in said["figures"]:
        key = (r["domain"], r["shots"], r["model"], r["variant"], r["slice"], r["metric"], r["k"])
        by_platform[r["platform"]][key] = r["value"]
    assert by_platform["sample"] == by_platform["twin"]
    report = pq.read_table(small.latest(MODEL, "recipes").file("report.parquet")).to_pylist()
    for r in report:
        key = (r["domain"], r["shots"], r["model"], r["variant"], r["slice"], r["metric"], r["k"])
        assert by_platform["sample"][key] == r["value"]
    for name in ("sample", "twin"):  # the second one's reports are in a store of their own
        again = hier("reproduce", small.latest("study/platforms", name).digest, "--json")
        assert again.code == 0, again.err
        assert json.loads(again.out)["verdict"] == "identical"


def test_a_platform_without_a_report_is_told(small, hier):
    text = small.domains.read_text(encoding="utf-8").replace("platform: sample", "platform: unrun")
    other = small.folder / "unrun.yaml"
    other.write_text(text, encoding="utf-8")
    answer = hier("study", "platforms", "--domains", small.domains, "--domains", other)
    assert answer.code == 1
    assert "platform unrun has no report yet" in answer.err


def test_the_time_left_follows_the_pieces_that_were_worked_on():
    now = [0.0]
    left = TimeLeft(4, clock=lambda: now[0])
    left.begin()
    assert left.seconds(0.01) is None
    now[0] = 10.0
    assert left.seconds(0.5) == pytest.approx(70.0)  # 10 s for half of the first of four
    now[0] = 20.0
    left.end(worked=True)
    left.begin()
    left.end(worked=False)
    left.begin()
    now[0] = 25.0
    assert left.seconds(0.25) == pytest.approx(35.0)  # three quarters of this one and one more, 20 s each


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (61, "61 s"), (720, "12 min"), (11_100, "3 h 5 min")]
)
def test_a_duration_in_words(seconds, words):
    assert duration(seconds) == words
