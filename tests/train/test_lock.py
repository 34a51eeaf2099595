"""The lock of a training's folder holds whatever happens to the folder meanwhile."""

import fcntl
import shutil
import threading
import time

import pytest

from hier_dag.errors import Busy
from hier_dag.train.lock import held, is_held, removed
from resources import Trainer


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "checkpoints" / "a key"


def test_it_is_for_one_at_a_time(folder):
    assert not is_held(folder)
    with held(folder):
        assert is_held(folder)
        with pytest.raises(Busy, match="another process is training the same encoder"):
            held(folder)
    assert not is_held(folder)
    held(folder).close()


def test_a_lock_on_a_folder_that_was_removed_before_it_was_got_does_not_count(folder, monkeypatch):
    lock, calls = fcntl.flock, []

    def late(file, how):
        if not calls:
            shutil.rmtree(folder)
        calls.append(how)
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with held(folder):
        assert len(calls) == 2
        assert folder.is_dir()
        with pytest.raises(Busy):
            held(folder)


def test_nobody_works_beside_another_while_folders_come_and_go(folder):
    beside, until = [], time.monotonic() + 1.5

    def work():
        while time.monotonic() < until:
            try:
                with held(folder, patience=0.5):
                    mark = folder / "at work"
                    mark.touch(exist_ok=False)
                    mark.unlink()
            except Busy:
                continue
            except OSError as error:
                beside.append(error)
            removed(folder)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not beside


def test_a_training_that_is_committed_is_forgotten_unless_another_process_is_at_it(folder):
    trainer = Trainer(checkpoints=str(folder.parent))
    with held(folder):
        (folder / "step-1").mkdir()
        trainer.forget(folder.name)
        assert (folder / "step-1").is_dir()
    trainer.forget(folder.name)
    assert not list(folder.parent.iterdir())
    trainer.forget(folder.name)
    assert not folder.exists()
