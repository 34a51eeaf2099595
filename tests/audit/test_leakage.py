"""`hier audit leakage`: what is stored proves itself, and what was tampered with is found."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.graph.certificate import Certificate
from hier_dag.graph.csr import CSR
from hier_dag.graph.files import first_times, load_edges, load_graph, save_edges
from hier_dag.graph.knowledge_graph import TEST
from hier_dag.graph.leakage import certify
from hier_dag.pipeline.stages import ENCODER, EVENTS, GRAPH, MODEL, PUBLISHED


def resigned(platform, artifact, change):
    """A changed copy of an artifact whose manifest and digest are those of the changed files."""
    with platform.store.stage(artifact.manifest.kind) as staged:
        shutil.copytree(artifact.path, staged, dirs_exist_ok=True)
        (staged / "manifest.json").unlink()
        change(staged)
        return platform.store.commit(staged, artifact.manifest)


def add_edge(folder, domain, user, item):
    """Puts one more edge into a stored graph."""
    edges = load_edges(folder)
    csr = edges[f"interacts:{domain}"]
    at = csr.indptr[user] + np.searchsorted(csr.indices[csr.indptr[user] : csr.indptr[user + 1]], item)
    indptr = csr.indptr + (np.arange(len(csr.indptr)) > user)
    values = np.insert(csr.values, at, np.float32(1))
    edges[f"interacts:{domain}"] = CSR(indptr, np.insert(csr.indices, at, item), csr.cols, values)
    save_edges(folder, edges)


def set_column(folder, domain, name, values):
    file = folder / f"splits/{domain}.parquet"
    table = pq.read_table(file)
    field = table.schema.field(name)
    at = table.schema.get_field_index(name)
    pq.write_table(table.set_column(at, field, pa.array(values, field.type)), file, compression="zstd")


def certify_anew(folder, config):
    """What somebody writes who knows how certificates are made."""
    graph = load_graph(folder, config.source_names, config.target_names)
    first = {d: first_times(folder, d) for d in config.domains}
    cut = min(config.split_of(d).validation_from for d in config.domains)
    certify(graph, Certificate.read(folder).nodes, first, cut).write(folder)


@pytest.fixture
def graph(own):
    """Its stored graph: artifact and arrays."""
    artifact = own.latest(GRAPH)
    return artifact, load_graph(artifact.path, own.config.source_names, own.config.target_names)


def failed(answer):
    """Failed claims of a --json answer."""
    return [c for c in json.loads(answer.out)["claims"] if c["outcome"] == "failed"]


@pytest.mark.parametrize(
    ("kind", "partition"), [(GRAPH, None), (ENCODER, None), (MODEL, "grocery"), (PUBLISHED, "grocery")]
)
def test_what_the_pipeline_made_is_proven_from_the_beginning_of_its_digest(platform, hier, kind, partition):
    digest = platform.latest(kind, partition).digest
    answer = hier("audit", "leakage", digest[:10])
    assert (answer.code, answer.err) == (0, "")
    assert "Proven." in answer.out
    found = json.loads(hier("audit", "leakage", digest, "--json").out)
    assert (found["digest"], found["kind"], found["proven"]) == (digest, kind, True)
    assert {c["outcome"] for c in found["claims"]} == {"proven"}
    artifacts = {c["artifact"] for c in found["claims"]}
    wanted = {GRAPH: set(), ENCODER: {ENCODER}}.get(kind, {ENCODER, "finetune/model[grocery]"})
    assert artifacts == {GRAPH, *wanted}


def test_an_unknown_digest_is_a_mistake_and_known_ones_are_named(platform, hier):
    answer = hier("audit", "leakage", "abc0def")
    assert answer.code == 2
    assert platform.latest(GRAPH).digest[:12] in answer.err
    answer = hier("audit", "leakage", "")
    assert answer.code == 2


def test_a_test_pair_planted_into_the_stored_edges_is_found_and_named(own, graph, hier):
    artifact, arrays = graph
    pairs = arrays.interactions["grocery"]
    user, item = (int(v[pairs.split == TEST][7]) for v in (pairs.user, pairs.item))
    forged = resigned(own, artifact, lambda f: add_edge(f, "food_delivery", user, item))
    answer = hier("audit", "leakage", forged.digest)
    assert answer.code == 1
    assert "Not proven." in answer.out
    told = f"user {arrays.user_ids[user]}, item {arrays.item_ids[item]}: test of grocery"
    assert "food_delivery" in answer.err
    assert told in answer.err
    assert hier("audit", "leakage", artifact.digest).code == 0


def test_an_edge_that_was_swapped_for_another_is_found(own, graph, hier):
    artifact, _ = graph

    def swap(folder):
        edges = load_edges(folder)
        csr = edges["interacts:marketplace"]
        user = int(np.flatnonzero(csr.degrees() == 1)[0])
        at = csr.indptr[user]
        csr.indices[at] = (csr.indices[at] + 1) % csr.cols
        save_edges(folder, edges)

    answer = hier("audit", "leakage", resigned(own, artifact, swap).digest, "--json")
    assert answer.code == 1
    assert {c["domain"] for c in failed(answer)} == {"marketplace"}


def test_a_test_pair_relabelled_as_training_is_found_although_all_else_agrees(own, graph, hier):
    """Edges, splits and certificate tell the same story; the events tell another."""
    artifact, arrays = graph
    domain = "local_guide"
    pairs = arrays.interactions[domain]
    at = int(np.flatnonzero(pairs.split == TEST)[3])
    user, item = int(pairs.user[at]), int(pairs.item[at])

    def forge(folder):
        add_edge(folder, domain, user, item)
        split, first = pairs.split.copy(), first_times(folder, domain).copy()
        split[at], first[at] = 0, first.min()
        set_column(folder, domain, "split", split)
        set_column(folder, domain, "first", first)
        certify_anew(folder, own.config)

    answer = hier("audit", "leakage", resigned(own, artifact, forge).digest, "--json")
    assert answer.code == 1
    (claim,) = failed(answer)
    assert (claim["artifact"], claim["domain"]) == (GRAPH, domain)
    assert f"user {arrays.user_ids[user]}, item {arrays.item_ids[item]} began at 2026-06" in claim["told"]


def test_a_weight_that_knows_more_than_the_events_before_the_cut_is_found(own, graph, hier):
    artifact, _ = graph

    def heavier(folder):
        edges = load_edges(folder)
        edges["interacts:grocery"].values[5] += 1
        save_edges(folder, edges)

    answer = hier("audit", "leakage", resigned(own, artifact, heavier).digest, "--json")
    (claim,) = failed(answer)
    assert claim["domain"] == "grocery"
    assert "1 edge(s)" in claim["told"]
    assert "weighs" in claim["told"]


@pytest.mark.parametrize(
    ("forge", "says"),
    [
        (lambda c: c["domains"]["grocery"].update(edges_sha256="0" * 64), "edges_sha256"),
        (lambda c: c.update(cut=None), "cut is 2026-06-01"),
        (lambda c: c.update(held_out_pairs=1), "held_out_pairs"),
    ],
)
def test_a_certificate_that_says_something_else_is_found(own, graph, hier, forge, says):
    def change(folder):
        record = json.loads((folder / "leakage.json").read_text())
        forge(record)
        (folder / "leakage.json").write_text(json.dumps(record))

    (claim,) = failed(hier("audit", "leakage", resigned(own, graph[0], change).digest, "--json"))
    assert says in claim["told"]


def test_hashes_of_held_out_pairs_that_were_thinned_out_are_found(own, graph, hier):
    def change(folder):
        file = folder / "leakage/held_out.parquet"
        pq.write_table(pq.read_table(file).slice(1), file)

    (claim,) = failed(hier("audit", "leakage", resigned(own, graph[0], change).digest, "--json"))
    assert "held_out.parquet" in claim["told"]


def test_an_encoder_that_was_trained_on_other_pairs_than_its_graph_allows_is_found(own, hier):
    encoder = own.latest(ENCODER)

    def change(folder):
        record = json.loads((folder / "leakage.json").read_text())
        record["used"]["marketplace"]["pairs_sha256"] = "0" * 64
        (folder / "leakage.json").write_text(json.dumps(record))

    answer = hier("audit", "leakage", resigned(own, encoder, change).digest, "--json")
    assert answer.code == 1
    (claim,) = failed(answer)
    assert claim["artifact"] == ENCODER
    assert "other pairs of marketplace" in claim["told"]


def test_without_the_events_the_rest_is_proven_and_the_audit_says_so(own, graph, hier):
    digest = own.registry.latest(EVENTS, "grocery")
    shutil.rmtree(own.store.path_of(EVENTS, digest))
    answer = hier("audit", "leakage", graph[0].digest)
    assert answer.code == 0
    assert "1 claim(s) could not be asked" in answer.out


@pytest.mark.parametrize(
    "damage", [lambda f: f.write_bytes(f.read_bytes()[:-1] + b"?"), lambda f: f.unlink()]
)
def test_events_that_are_damaged_prove_nothing_and_the_audit_fails(own, graph, hier, damage):
    damage(next((own.latest(EVENTS, "grocery").path / "events").glob("*.parquet")))
    answer = hier("audit", "leakage", graph[0].digest, "--json")
    assert answer.code == 1
    assert json.loads(answer.out)["proven"] is False
    assert [c["domain"] for c in failed(answer)] == ["grocery"]


def test_a_flipped_bit_is_refused_before_anything_is_proven(own, graph, hier):
    file = graph[0].path / "edges.safetensors"
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)
    answer = hier("audit", "leakage", graph[0].digest)
    assert answer.code == 1
    assert "does not match its digest" in answer.err
