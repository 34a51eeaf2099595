"""Vectors on their way into a set: brought back to the live space with every score, or named anew."""

from types import SimpleNamespace

import numpy as np
import pytest

from hier_dag.builds.published_set import SetOf, build_set, in_space
from hier_dag.errors import StoreError
from hier_dag.ingest.connection import connect
from hier_dag.pipeline import stages
from hier_dag.publish.platform import read_platform
from hier_dag.publish.space.params import SpaceParams
from hier_dag.transfer.vectors import DomainVectors
from tests.publish.space.helpers import normal, orthogonal, space, written

USERS, ITEMS = normal(200, 8), normal(60, 8, 1)
USER_IDS = np.array([f"u{n}" for n in range(200)], object)
ITEM_IDS = np.array([f"i{n}" for n in range(60)], object)
MODEL, ANCHOR, SPACE = "ab" * 32, "cd" * 32, "0123456789abcdef"


@pytest.fixture
def of(tmp_path):
    """What a set is made of, with an anchor of known vectors or without one."""

    def make(*, anchored=True):
        written(tmp_path / "anchor", _by_id(USERS, ITEMS))
        anchor = SimpleNamespace(
            path=tmp_path / "anchor", digest=ANCHOR, manifest=SimpleNamespace(summary={"space": SPACE})
        )
        return SetOf(
            domain="cafe",
            graph=SimpleNamespace(user_ids=USER_IDS, item_ids=ITEM_IDS),
            names=ITEM_IDS,
            model=SimpleNamespace(path=tmp_path / "model"),
            parents={"model": MODEL},
            anchor=anchor if anchored else None,
        )

    return make


def _by_id(users, items):
    # The helper's ids are in byte order, the numbers of the graph are not.
    return space(users[np.argsort(USER_IDS)], items[np.argsort(ITEM_IDS)])


def vectors(users, items):
    return DomainVectors(
        users=np.arange(len(users)), user_vectors=users.astype(np.float32),
        user_origin=np.zeros(len(users), np.int8), items=np.arange(len(items)),
        item_vectors=items.astype(np.float32), item_origin=np.zeros(len(items), np.int8),
        method="closed_form",
    )  # fmt: skip


def scores(made):
    return made.user_vectors @ made.item_vectors.T


def test_the_first_set_is_untouched_and_names_its_space_after_its_model(of, tmp_path):
    made = vectors(USERS, ITEMS)
    kept, about = in_space(made, of(anchored=False), SpaceParams(), tmp_path)
    assert kept is made
    assert about == {"space": MODEL[:16], "anchor": None, "turned": False}


def test_a_set_that_was_turned_is_brought_back_to_the_anchor_with_every_score(of, tmp_path):
    rotation = orthogonal(8)
    made = vectors(USERS @ rotation, ITEMS @ rotation)
    back, about = in_space(made, of(), SpaceParams(), tmp_path)
    assert about == {"space": SPACE, "anchor": ANCHOR, "turned": True}
    assert back.user_vectors == pytest.approx(USERS, abs=1e-5)
    assert back.item_vectors == pytest.approx(ITEMS, abs=1e-5)
    assert scores(back) == pytest.approx(scores(made), abs=1e-4)
    assert back.users is made.users


@pytest.mark.parametrize("align", [True, False])
def test_a_set_that_hardly_moved_goes_on_with_the_space_untouched(of, align, tmp_path):
    made = vectors(USERS * 1.001, ITEMS)
    kept, about = in_space(made, of(), SpaceParams(align=align), tmp_path)
    assert kept is made
    assert about == {"space": SPACE, "anchor": ANCHOR, "turned": False}


def test_a_set_that_was_turned_begins_a_space_where_alignment_is_switched_off(of, tmp_path):
    rotation = orthogonal(8)
    made = vectors(USERS @ rotation, ITEMS @ rotation)
    kept, about = in_space(made, of(), SpaceParams(align=False), tmp_path)
    assert kept is made
    assert about == {"space": MODEL[:16], "anchor": None, "turned": False}


@pytest.mark.parametrize("dim", [8, 9])
def test_vectors_that_no_rotation_brings_back_begin_a_space(of, dim, tmp_path):
    made = vectors(normal(200, dim, 7), normal(60, dim, 8))
    kept, about = in_space(made, of(), SpaceParams(), tmp_path)
    assert kept is made
    assert about == {"space": MODEL[:16], "anchor": None, "turned": False}


def test_vectors_of_a_model_that_are_not_finite_are_an_error_that_names_its_file(of, tmp_path):
    users = USERS.copy()
    users[4, 1] = np.nan
    with pytest.raises(StoreError, match=r"1 of 200 vectors .* not finite") as told:
        in_space(vectors(users, ITEMS), of(), SpaceParams(), tmp_path)
    assert told.value.file.endswith("model/vectors.safetensors")


def test_a_set_of_what_is_published_of_a_graph_is_that_of_the_whole_graph(platform, tmp_path):
    domain = platform.config.target_names[0]
    live = platform.latest(stages.PUBLISHED, domain)
    parents = live.manifest.parents
    graph = read_platform(platform.store.open(stages.GRAPH, parents["graph"]).path, domain)
    model = platform.store.open(stages.MODEL, parents["model"])
    of = SetOf(domain, graph, graph.item_names, model, parents, anchor=None)
    (tmp_path / "set").mkdir()
    with connect(tmp_path) as con:
        built = build_set(of, platform.config.stages.publish, tmp_path / "set", con)
    whole = {entry.path: entry for entry in live.manifest.files}
    assert {entry.path: whole[entry.path] for entry in built.known} == {e.path: e for e in built.known}
    assert all(check.passed for check in built.checks)
    assert built.summary == live.manifest.summary
