"""The study of what decision paths mean: figures, named families, pictures, recovery."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from hier_dag.evaluate.interpret.partitions import normalised_mutual_information
from hier_dag.evaluate.interpret.truth import read_truth
from hier_dag.graph.files import load_graph
from hier_dag.pipeline.stages import ENCODER, GRAPH
from hier_dag.study.collect import finished_cells, markdown, summary_of, write_summary
from hier_dag.study.registry import STUDIES
from hier_dag.train.encoding_files import load_encoding

PNG = b"\x89PNG\r\n\x1a\n"
STUDY = STUDIES["interpretability"]


@pytest.fixture
def untrained(monkeypatch):
    """Fails a test that trains."""
    from hier_dag.train import pretrain

    def never(*_):
        raise AssertionError("the encoder was there already")

    monkeypatch.setattr(pretrain, "pretrain", never)


def cell(platform, key="default_s0"):
    return platform.latest("study/interpretability", key)


def records(platform, key="default_s0"):
    rows = pq.read_table(cell(platform, key).file("records.parquet")).to_pylist()
    return {(r["what"], r["evidence"], r["metric"]): r for r in rows}


def test_the_pipelines_own_encoder_is_read_and_nothing_trained(studied, run_cells, untrained):
    done = run_cells(studied, "interpretability")
    assert {key: d.outcome for key, d in done.items()} == {"default_s0": "made"}
    assert {d.outcome for d in run_cells(studied, "interpretability").values()} == {"reused"}
    found = records(studied)
    over = load_encoding(studied.latest(ENCODER).path).interactions
    assert found["intents", 0, "count"]["value"] == len(over.paths)
    assert found["paths", 0, "open"]["value"] == pytest.approx((over.paths > 0).mean())
    config, folder = studied.config, studied.latest(GRAPH).path
    graph = load_graph(folder, config.source_names, config.target_names)
    truth = read_truth(studied.data, graph.user_ids, graph.item_ids)
    known = over.intents.any(axis=1) & truth.users.any(axis=1)
    nmi = normalised_mutual_information(over.intents[known].argmax(axis=1), truth.users[known].argmax(axis=1))
    row = found["intents", 1, "nmi"]
    assert (row["things"], row["value"]) == (known.sum(), pytest.approx(nmi))
    assert row["value"] > 0.02  # four intents for twelve, on 600 users: little, but more than chance


def test_the_report_names_planted_intents_and_shows_both_pictures(studied, run_cells, untrained, tmp_path):
    run_cells(studied, "interpretability")
    summary = summary_of(STUDY, studied.config, finished_cells(STUDY, studied.config, studied.workshop()))
    planted = set(pq.read_table(studied.data / "truth/intents.parquet")["name"].to_pylist())
    named = [row[3].rpartition(" (")[0] for row in summary.rows if row[0] == "families of intents"]
    assert named
    assert set(named) - {""} <= planted
    assert len(set(named) - {""}) >= 2
    paths = write_summary(STUDY, summary, tmp_path)
    assert {p.name for p in paths.values()} == {
        "interpretability.png", "interpretability.md", "interpretability.parquet",
        "interpretability_intents_by_domain.png",
    }  # fmt: skip
    for kind in ("png", "intents_by_domain"):
        picture = paths[kind].read_bytes()
        assert picture.startswith(PNG)
        assert len(picture) < 50_000
    assert next(n for n in named if n) in markdown(STUDY, summary)
    tables = set(cell(studied).manifest.tables)
    assert {"families.parquet", "interaction_paths.parquet", "interaction_exemplars.parquet"} <= tables
    for columns in cell(studied).manifest.tables.values():
        assert all(c["description"] for c in columns)


def test_without_truth_it_says_what_it_can(studied, run_cells, untrained):
    shutil.rmtree(studied.data / "truth")
    run_cells(studied, "interpretability")
    assert {metric for _, _, metric in records(studied)} == {"count", "open", "beyond_chance"}
    summary = summary_of(STUDY, studied.config, finished_cells(STUDY, studied.config, studied.workshop()))
    assert not [row for row in summary.rows if row[0].startswith("recovery")]


def test_another_truth_is_another_figure(studied, run_cells, untrained):
    run_cells(studied, "interpretability")
    file = studied.data / "truth/user_intents.parquet"
    table = pq.read_table(file)
    pq.write_table(table.slice(0, table.num_rows // 2), file)
    assert finished_cells(STUDY, studied.config, studied.workshop()) == []


def test_seeds_are_compared_with_one_another(studied, run_cells, declare):
    declare(studied, seeds=[0, 1])
    run_cells(studied, "interpretability")
    finished = finished_cells(STUDY, studied.config, studied.workshop())
    rows = summary_of(STUDY, studied.config, finished).table.to_pylist()
    (row,) = [r for r in rows if (r["what"], r["metric"]) == ("seeds_family", "nmi")]
    a, b = (pq.read_table(f.artifact.file("users.parquet"))["family"].to_numpy() for f in finished)
    assert row["cell"] == "seeds_0_1"
    assert row["value"] == pytest.approx(normalised_mutual_information(a, b))
    assert not np.array_equal(a, b)


def test_the_encoders_page_shows_paths_and_names(studied):
    definitions = studied.definitions()
    job = definitions.resolve_implicit_global_asset_job_def()
    key = next(a.key for a in definitions.assets if a.key.path[-1] == "encoder")
    result = job.execute_in_process(instance=studied.instance(), asset_selection=[key])
    (event,) = result.get_asset_materialization_events()
    shown = event.materialization.metadata
    for picture in ("decision_paths", "intents_by_domain"):
        assert "data:image/png;base64," in shown[picture].value
    assert "| family | intents | strength |" in shown["intent_families"].value


def test_a_cell_is_built_again_with_an_encoder_trained_anew_and_the_truth_of_then(studied, run_cells, hier):
    run_cells(studied, "interpretability")
    digest = cell(studied).digest
    done = hier("reproduce", digest, "--domains", studied.domains, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["verdict"] == "identical"
    file = studied.data / "truth" / "user_intents.parquet"
    pq.write_table(pq.read_table(file).slice(1), file)
    changed = hier("reproduce", digest, "--domains", studied.domains)
    assert changed.code == 1
    assert "truth/user_intents.parquet" in changed.err
    assert "not what it was" in changed.err
    file.unlink()
    assert "missing" in hier("reproduce", digest, "--domains", studied.domains).err
