"""Cells run through Dagster: once, resumed after an interruption, shared between studies."""

import json

import pyarrow.parquet as pq
import pytest

from hier_dag.errors import TrainingError
from hier_dag.evaluate.records import RECORD_SCHEMA
from hier_dag.pipeline.stages import GRAPH, RESULT
from hier_dag.reproduce.reproduce import reproduce
from hier_dag.study.collect import finished_cells, markdown, summary_of
from hier_dag.study.registry import STUDIES

PNG = b"\x89PNG\r\n\x1a\n"


def outcomes(done):
    return {key: d.outcome for key, d in done.items()}


def results(platform):
    """Digests of the work that studies share."""
    return {p.name for p in platform.store.path_of(RESULT, "0" * 64).parent.glob("*")}


def test_a_study_is_run_once_and_its_default_is_shared_with_the_next(studied, run_cells):
    first = run_cells(studied, "sensitivity")
    assert outcomes(first) == {"default_s0": "made", "exemplars_4_s0": "made", "dim_8_s0": "made"}
    made = results(studied)
    assert len(made) == 3
    assert set(outcomes(run_cells(studied, "sensitivity")).values()) == {"reused"}
    scaling = run_cells(studied, "scaling", "default")
    assert outcomes(scaling) == {"default_s0": "made"}
    assert results(studied) == made
    cell = studied.latest("study/scaling", "default_s0")
    assert [c.facts["shared"] for c in studied.registry.checks(cell.digest) if c.name == "measured"] == [True]
    assert cell.json("cell.json")["result"] in made


def test_a_cell_holds_its_records_under_its_name(studied, run_cells):
    run_cells(studied, "scaling", "links_50")
    cell = studied.latest("study/scaling", "links_50_s0")
    records = pq.read_table(cell.file("records.parquet"))
    assert records.schema.names == ["study", "cell", "seed", *RECORD_SCHEMA.names]
    rows = records.to_pylist()
    assert {(r["study"], r["cell"], r["seed"], r["model"]) for r in rows} == {
        ("scaling", "links_50", 0, "hier")
    }
    assert {(r["domain"], r["shots"]) for r in rows} == {
        (d, s) for d in ("grocery", "recipes") for s in ("0", "1")
    }
    assert cell.manifest.parents == {"graph": studied.registry.latest(GRAPH, None)}
    assert {t: {c["description"] != "" for c in cs} for t, cs in cell.manifest.tables.items()} == {
        "records.parquet": {True}, "users.parquet": {True}
    }  # fmt: skip


def test_overrides_reach_graph_and_model(studied, run_cells):
    run_cells(studied, "scaling")
    run_cells(studied, "sensitivity", "dim_8")
    facts = {
        f.cell.label: f.artifact.json("cell.json")
        for name in ("scaling", "sensitivity")
        for f in finished_cells(STUDIES[name], studied.config, studied.workshop())
    }
    default, half, one = facts["default"], facts["links_50"], facts["sources_1"]
    assert half["item_entity_links"] == pytest.approx(default["item_entity_links"] / 2, abs=1)
    assert half["source_pairs"] == default["source_pairs"]
    assert (default["sources"], one["sources"]) == (3, 1)
    assert one["source_pairs"] < default["source_pairs"]
    assert facts["dim_8"]["weights"] < default["weights"]


def test_an_interrupted_study_goes_on_where_it_stopped(studied, run_cells, monkeypatch):
    from hier_dag.study import run_cell

    trained, pretrain = [], run_cell.pretrain

    def failing(graph, params, progress):
        if params.dim == 8:
            raise TrainingError("the machine went away", fix="start again")
        trained.append(params)
        return pretrain(graph, params, progress)

    monkeypatch.setattr(run_cell, "pretrain", failing)
    stopped = run_cells(studied, "sensitivity")
    assert outcomes(stopped) == {"default_s0": "made", "exemplars_4_s0": "made", "dim_8_s0": "failed"}
    assert "the machine went away" in stopped["dim_8_s0"].message
    assert len(trained) == 2

    monkeypatch.setattr(run_cell, "pretrain", pretrain)
    again = run_cells(studied, "sensitivity")
    assert outcomes(again) == {"default_s0": "reused", "exemplars_4_s0": "reused", "dim_8_s0": "made"}
    assert len(results(studied)) == 3


def test_an_interruption_between_work_and_cell_costs_no_training(studied, run_cells, monkeypatch):
    from hier_dag.study import run_cell, trained

    save = trained.save_named

    def away(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(trained, "save_named", away)
    stopped = run_cells(studied, "scaling", "default", "links_50")
    assert outcomes(stopped) == {"default_s0": "cancelled"}  # and the next cell was not begun
    assert len(results(studied)) == 1
    monkeypatch.setattr(trained, "save_named", save)
    monkeypatch.setattr(run_cell, "pretrain", away)
    assert outcomes(run_cells(studied, "scaling", "default")) == {"default_s0": "made"}


def test_another_budget_is_other_work(studied, run_cells, declare):
    run_cells(studied, "scaling", "default")
    declare(studied, targets=["recipes"])
    assert finished_cells(STUDIES["scaling"], studied.config, studied.workshop()) == []
    assert outcomes(run_cells(studied, "scaling", "default")) == {"default_s0": "made"}


def test_a_summary_says_what_the_records_say(studied, run_cells):
    study = STUDIES["sensitivity"]
    run_cells(studied, "sensitivity")
    finished = finished_cells(study, studied.config, studied.workshop())
    summary = summary_of(study, studied.config, finished)
    rows = summary.table.to_pylist()
    found = {(r["cell"], r["domain"], r["shots"], r["metric"]): r for r in rows}
    recorded = {}
    for one in finished:
        for r in pq.read_table(one.artifact.file("records.parquet")).to_pylist():
            if (r["slice"], r["k"]) == ("all", 10) and r["metric"] in ("ndcg", "hr"):
                recorded[one.cell.label, r["domain"], r["shots"], r["metric"]] = r["value"]
    assert len(recorded) == 3 * 2 * 2 * 2
    for key, value in recorded.items():
        assert found[key]["value"] == pytest.approx(value, abs=1e-6)
        base = recorded["default", *key[1:]]
        assert found[key]["change"] == pytest.approx(value - base, abs=1e-6)
    for cell in ("default", "dim_8"):
        both = [recorded[cell, d, "1", "ndcg"] for d in ("grocery", "recipes")]
        assert found[cell, "mean", "1", "ndcg"]["value"] == pytest.approx(sum(both) / 2, abs=1e-6)
        assert found[cell, "", "", "pretrain_s"]["value"] > 0
    assert found["default", "mean", "1", "ndcg"]["p"] is None
    assert summary.png.startswith(PNG)
    shown = f"{found['dim_8', 'mean', '0', 'ndcg']['value']:.4f}"
    assert shown in markdown(study, summary)


def test_there_is_no_summary_without_the_cell_that_others_are_compared_with(studied, run_cells):
    run_cells(studied, "sensitivity", "dim_8")
    finished = finished_cells(STUDIES["sensitivity"], studied.config, studied.workshop())
    assert len(finished) == 1
    assert summary_of(STUDIES["sensitivity"], studied.config, finished) is None


def test_seeds_are_averaged_within_users(studied, run_cells, declare):
    declare(studied, seeds=[0, 1], sensitivity={"exemplars": [], "intents": [], "dim": [8], "layers": []})
    run_cells(studied, "sensitivity")
    study = STUDIES["sensitivity"]
    finished = finished_cells(study, studied.config, studied.workshop())
    rows = summary_of(study, studied.config, finished).table.to_pylist()
    (row,) = [
        r
        for r in rows
        if (r["cell"], r["domain"], r["shots"], r["metric"]) == ("dim_8", "recipes", "0", "ndcg")
    ]
    each = []
    for one in finished:
        if one.cell.label == "dim_8":
            users = pq.read_table(one.artifact.file("users.parquet")).to_pandas()
            each.append(users[(users["domain"] == "recipes") & (users["shots"] == "0")]["ndcg"].mean())
    assert len(each) == row["seeds"] == 2
    assert row["value"] == pytest.approx(sum(each) / 2, abs=1e-6)


def test_an_ablation_study_tells_every_module_that_is_done(studied, run_cells):
    study = STUDIES["ablation"]
    run_cells(studied, "ablation", "default", "no_bottleneck", "no_auxiliary")
    summary = summary_of(study, studied.config, finished_cells(study, studied.config, studied.workshop()))
    shown = list(dict.fromkeys(row[0] for row in summary.rows))
    assert shown == ["information-bottleneck contrast", "rank loss on the intent-enhanced view"]
    assert summary.png.startswith(PNG)
    rows = {(r["cell"], r["shots"]): r for r in summary.table.to_pylist()
            if r["domain"] == "mean" and r["metric"] == "ndcg"}  # fmt: skip
    earned = -rows["no_auxiliary", "1"]["change"]
    (line,) = [r for r in summary.rows[2:] if r[1] == "1 per user"]
    assert line[2] == f"{earned:+.4f}".replace("0.", ".", 1)


def test_the_asset_shows_the_study_so_far(studied):
    definitions = studied.definitions()
    job = definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=studied.instance(), partition_key="default_s0",
        asset_selection=[next(a.key for a in definitions.assets if a.key.path[-1] == "scaling")],
    )  # fmt: skip
    (event,) = result.get_asset_materialization_events()
    shown = event.materialization.metadata
    assert shown["cells_done"].value == "1 of 3"
    assert "data:image/png;base64," in shown["picture"].value
    assert "NDCG@10" in shown["figures"].value
    checks = {c.check_name: c for c in result.get_asset_check_evaluations()}
    assert checks["measured"].passed
    assert checks["measured"].metadata["pretrain_s"].value > 0


def test_times_are_beside_the_artifact_and_not_in_it(studied, run_cells):
    run_cells(studied, "scaling", "default")
    cell = studied.latest("study/scaling", "default_s0")
    assert "pretrain_s" not in json.dumps(cell.manifest.model_dump())
    (one,) = finished_cells(STUDIES["scaling"], studied.config, studied.workshop())
    assert one.seconds["pretrain_s"] > 0
    assert set(one.seconds) == {"pretrain_s", "transfer_s", "scoring_s"}


def test_a_cell_and_the_work_that_it_shares_come_out_bit_for_bit_when_they_are_built_again(
    studied, run_cells, tmp_path
):
    run_cells(studied, "sensitivity", "exemplars_4")
    cell = studied.latest("study/sensitivity", "exemplars_4_s0")
    wanted = [(RESULT, cell.json("cell.json")["result"]), ("study/sensitivity", cell.digest)]
    for kind, digest in wanted:
        (certificate,) = reproduce(studied.store, studied.registry, kind, digest, tmp_path)
        assert certificate.verdict == "identical", certificate.difference
