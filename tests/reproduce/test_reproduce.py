"""Artifacts of the sample platform built again by `hier reproduce`."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.builds.events import build_events
from hier_dag.ingest.connection import connect
from hier_dag.pipeline.requests import events_request
from hier_dag.pipeline.stages import (
    CODE_VERSIONS,
    ENCODER,
    EVENTS,
    GRAPH,
    LINKS,
    MODEL,
    PUBLISHED,
    REFUSED,
)
from hier_dag.pipeline.workshop import Built, Refused
from hier_dag.reproduce import rebuild as rebuilding
from hier_dag.reproduce.certificate import SAME_FILES, WITHIN
from hier_dag.reproduce.recipes import RECIPES
from hier_dag.reproduce.reproduce import reproduce

TARGET = "grocery"


def files_of(root):
    return {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file() and p.name != ".lock"}


def links_of(platform):
    return platform.registry.latest(LINKS, None)


def test_a_published_set_and_all_that_it_was_made_of_come_out_bit_for_bit_from_files_that_moved(
    own, hier, tmp_path
):
    moved = tmp_path / "somewhere" / "else"
    shutil.move(own.data, moved)
    before, live = files_of(own.home.store), own.live()
    done = hier("reproduce", own.registry.latest(PUBLISHED, TARGET), "--deep", "--data", moved, "--json")
    assert done.code == 0, done.err
    made = json.loads(done.out)
    assert {c["verdict"] for c in made} == {"identical"}
    assert [c["kind"] for c in made[-4:]] == [GRAPH, ENCODER, MODEL, PUBLISHED]
    assert {c["kind"] for c in made[:-4]} == {EVENTS, LINKS}
    assert len(made) == len(own.config.domains) + 5
    assert all(c["digest"] == c["rebuilt"] and not c["differing"] for c in made)
    assert files_of(own.home.store) == before
    assert own.live() == live
    assert not [p for p in own.home.scratch.glob("reproduce-*")]


def test_a_changed_and_a_missing_raw_file_are_named(own, hier):
    manifest = own.latest(LINKS).manifest
    location = manifest.inputs[0]["location"]
    file = own.data / location
    good = file.read_bytes()
    file.write_bytes(good + b"\n")
    done = hier("reproduce", links_of(own), "--domains", own.domains)
    assert done.code == 1
    assert location in done.err
    assert "has changed since" in done.err
    assert "--data DIR" in done.err
    file.unlink()
    done = hier("reproduce", links_of(own), "--domains", own.domains)
    assert done.code == 1
    assert location in done.err


def test_what_differs_is_told_by_file_column_row_and_values(own, hier):
    artifact = own.latest(LINKS)
    with own.store.stage(LINKS) as staged:
        for name in artifact.manifest.files:
            (staged / name.path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(artifact.path / name.path, staged / name.path)
        table = pq.read_table(staged / "entity_names.parquet")
        names = table["name"].to_pylist()
        wrong = pa.array([*names[:2], "planted", *names[3:]])
        at = table.schema.get_field_index("name")
        pq.write_table(
            table.set_column(at, table.schema.field("name"), wrong), staged / "entity_names.parquet"
        )
        planted = own.store.commit(staged, artifact.manifest)
    own.registry.record(planted, [], run_id="", seconds=0.0)
    done = hier("reproduce", planted.digest, "--domains", own.domains, "--json")
    assert done.code == 1
    told = json.loads(done.out)
    assert told["verdict"] == "different"
    assert told["rebuilt"] == artifact.digest
    assert told["difference"] == {
        "file": "entity_names.parquet",
        "column": "name",
        "row": 3,
        "recorded": "planted",
        "now": names[2],
    }


def test_another_code_version_is_refused_and_the_commit_to_check_out_is_named(own, hier, monkeypatch):
    digest = links_of(own)
    monkeypatch.setitem(CODE_VERSIONS, LINKS, "99")
    done = hier("reproduce", digest, "--domains", own.domains)
    assert done.code == 1
    assert "version 99 is running" in done.err
    assert f"git checkout {own.registry.artifact(digest).code_commit.removesuffix('-dirty')}" in done.err
    assert hier("reproduce", digest, "--domains", own.domains, "--anyway").code == 0


def test_another_environment_process_and_number_of_threads_are_told_and_certificates_listed(
    own, hier, tmp_path
):
    (tmp_path / "more" / "planted-1.0.dist-info").mkdir(parents=True)
    (tmp_path / "more" / "planted-1.0.dist-info" / "METADATA").write_text("Name: planted\nVersion: 1.0\n")
    digest, path = links_of(own), f"{tmp_path / 'more'}:{os.getcwd()}"
    done = subprocess.run(
        [sys.executable, "-m", "hier_dag.cli.app", "reproduce", digest[:10], "--threads", "4", "--json"],
        env={**os.environ, **own.environment(), "OMP_NUM_THREADS": "2", "PYTHONPATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["verdict"] == "identical files"
    assert told["distributions"] == {"recorded": [], "now": ["planted==1.0"]}
    assert told["now"]["threads"] == 4
    (listed,) = json.loads(hier("reproduce", digest, "--history", "--json").out)
    assert listed["verdict"] == "identical files"
    assert listed["who"]
    assert listed["at"]
    assert "identical files" in hier("reproduce", digest, "--history").out


def test_where_no_declaration_is_named_the_raw_files_must_be(own, hier):
    (own.state / "last.json").unlink()
    digest = own.latest(EVENTS, "grocery").digest
    answer = hier("reproduce", digest)
    assert answer.code == 2
    assert "nothing says where the raw files lie" in answer.err
    assert "--data DIR" in answer.err
    assert hier("reproduce", digest, "--data", own.data).code == 0


def test_a_refused_ingest_leaves_the_same_rows_aside(own, hier):
    domain = own.config.source_names[0]
    file = own.data / own.latest(EVENTS, domain).manifest.inputs[0]["location"]
    table = pq.read_table(file)
    column = own.config.domains[domain].sources[0].columns.user_id
    users = table[column].to_pylist()
    users[: len(users) // 2] = [None] * (len(users) // 2)
    at = table.schema.get_field_index(column)
    pq.write_table(table.set_column(at, column, pa.array(users, table.schema.field(column).type)), file)
    workshop = own.workshop()

    def build(request, staged):
        return build_events(own.config, domain, request, staged, workshop, lambda: connect(own.home.scratch))

    with pytest.raises(Refused):
        workshop.make(events_request(own.config, domain), build, run_id="")
    done = hier("reproduce", own.registry.latest(REFUSED, domain), "--domains", own.domains, "--json")
    assert done.code == 0, done.err + done.out
    assert json.loads(done.out)["verdict"] == "identical"


@pytest.mark.parametrize("column", [None, "vector", "item_id", "name"])
def test_in_another_environment_vectors_may_be_near_and_must_belong_to_the_same_items(
    own, tmp_path, monkeypatch, column
):
    monkeypatch.setattr(rebuilding, "environment_digest", lambda: "e" * 64)
    build = RECIPES[PUBLISHED]

    def changed(recorded, request, staged, bench):
        build(recorded, request, staged, bench)
        table = pq.read_table(staged / "items.parquet")
        at = table.schema.get_field_index(column) if column else -1
        if column == "vector":
            vectors = table["vector"].combine_chunks()
            near = pa.array(vectors.flatten().to_numpy() * np.float32(1.01))
            value = pa.FixedSizeListArray.from_arrays(near, type=vectors.type)
        elif column:
            value = table[column].combine_chunks()[::-1]
        if column:
            table = table.set_column(at, table.schema.field(at), value)
            pq.write_table(table, staged / "items.parquet")
        return Built(tables=recorded.manifest.tables, summary=recorded.manifest.summary)

    monkeypatch.setitem(RECIPES, PUBLISHED, changed)
    digest = own.registry.latest(PUBLISHED, TARGET)
    (made,) = reproduce(own.store, own.registry, PUBLISHED, digest, tmp_path / "scratch")
    assert made.conditions == ("environment",)
    if column in ("item_id", "name"):
        assert not made.holds
        assert (made.difference.file, made.difference.column) == ("items.parquet", column)
    else:
        assert made.verdict == (WITHIN if column else SAME_FILES)
        assert made.holds
