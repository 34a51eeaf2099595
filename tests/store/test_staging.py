"""Who is at work in a store: told by locks that go with their process, and by the time of the last use."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from hier_dag.errors import StoreError
from hier_dag.store import ArtifactStore, Manifest
from hier_dag.store.staging import is_held, lock_of, staged_folder, turn

STAGES = """
import sys, time
from pathlib import Path
from hier_dag.store import ArtifactStore
with ArtifactStore(Path(sys.argv[1])).stage("kg/graph") as staged:
    print(staged, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def store(tmp_path):
    return ArtifactStore(tmp_path)


def committed(store, text="x"):
    with store.stage("kg/graph") as staged:
        (staged / "f").write_text(text)
        return store.commit(
            staged, Manifest(kind="kg/graph", request_key="0" * 64, code_version="1", params={})
        )


def test_a_staged_folder_is_held_until_it_is_left_and_nothing_stays_of_it(store):
    with store.stage("kg/graph") as staged:
        assert is_held(lock_of(staged))
    assert not is_held(lock_of(staged))
    assert not list((store.root / "staging").iterdir())


def test_the_lock_is_no_part_of_what_is_committed(store):
    assert [f.path for f in committed(store).manifest.files] == ["f"]


def test_the_lock_of_a_killed_process_is_free_at_once(store):
    with subprocess.Popen(
        [sys.executable, "-c", STAGES, str(store.root)], stdout=subprocess.PIPE, text=True
    ) as process:
        staged = store.root / process.stdout.readline().strip()
        assert is_held(lock_of(staged))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert staged.is_dir()
        assert not is_held(lock_of(staged))


def test_whoever_takes_away_waits_for_users_and_users_wait_for_them(store):
    order = []

    def use():
        with turn(store.root):
            order.append("used")

    with turn(store.root), turn(store.root):  # together with others
        pass
    with turn(store.root, alone=True):
        user = threading.Thread(target=use)
        user.start()
        time.sleep(0.1)
        order.append("taken")
    user.join()
    assert order == ["taken", "used"]


def test_opening_an_artifact_notes_that_it_is_used(store):
    artifact = committed(store)
    os.utime(artifact.path, (0, 0))
    store.open("kg/graph", artifact.digest)
    assert time.time() - artifact.path.stat().st_mtime < 60


def test_a_lock_that_leads_elsewhere_is_refused(store, tmp_path):
    outside = tmp_path / "outside"
    (store.root / ".lock").symlink_to(outside)
    with pytest.raises(StoreError, match="link to another place"), staged_folder(store.root, "x"):
        pass
    assert not outside.exists()


def test_committing_what_a_clean_up_takes_away_at_that_moment_loses_nothing(store, tmp_path, monkeypatch):
    artifact = committed(store)
    opened = ArtifactStore.open

    def taken_first(self, kind, digest, **options):
        monkeypatch.setattr(ArtifactStore, "open", opened)
        artifact.path.rename(tmp_path / "taken")
        return opened(self, kind, digest, **options)

    monkeypatch.setattr(ArtifactStore, "open", taken_first)
    assert committed(store).digest == artifact.digest
    assert artifact.file("f").read_text() == "x"
