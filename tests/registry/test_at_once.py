"""Processes open a new registry and record the same things at the same time, on SQLite and on Postgres."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from hier_dag.environment import environment, environment_digest
from hier_dag.registry import CheckRow, Registry
from hier_dag.store import ArtifactStore, Manifest

AT_ONCE = 6


def at_once(work):
    """Results of the same work in threads that begin together."""
    barrier = threading.Barrier(AT_ONCE)

    def begun(_):
        barrier.wait()
        return work()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(begun, range(AT_ONCE)))


@pytest.mark.filterwarnings("ignore:.*XDG_RUNTIME_DIR")
def test_a_new_registry_is_opened_by_all(either):
    registries = at_once(lambda: Registry(either))
    assert [r.count() for r in registries] == [0] * AT_ONCE


@pytest.mark.filterwarnings("ignore:.*XDG_RUNTIME_DIR")
def test_the_same_artifact_is_recorded_once_with_every_check(either, tmp_path):
    store = ArtifactStore(tmp_path / "store")
    with store.stage("kg/graph") as staged:
        (staged / "f").write_text("x")
        manifest = Manifest(
            kind="kg/graph", partition=None, request_key="0" * 64, code_version="1", params={},
            parents={"encoder": "1" * 64}, environment=environment_digest(),
        )  # fmt: skip
        artifact = store.commit(staged, manifest)
    registry = Registry(either)
    at_once(lambda: registry.record(artifact, [CheckRow("c", True)], run_id="r", seconds=0))
    assert registry.count() == 1
    assert len(registry.checks(artifact.digest)) == AT_ONCE
    assert registry.parents(artifact.digest) == {"encoder": "1" * 64}
    assert registry.environment(environment_digest()) == environment()
    events = registry.events()
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert [e.prev for e in events[1:]] == [e.hash for e in events[:-1]]
    kinds = Counter(e.kind for e in events)
    assert kinds == {"run": 1, "environment": 1, "artifact": 1, "request": AT_ONCE, "checks": AT_ONCE}
