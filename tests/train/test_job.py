"""Pre-training as a job: it has its training's lock before anything that takes time, and gives it back."""

import pytest

from hier_dag.errors import StoreError
from hier_dag.train.job import PretrainJob, Saving, run_pretraining
from hier_dag.train.lock import held, is_held
from hier_dag.train.params import PretrainParams


@pytest.fixture
def unreadable(tmp_path):
    """A job whose graph is not there."""
    saving = Saving(folder=tmp_path / "saved", key="key")
    return PretrainJob(
        graph=tmp_path / "none", sources=("a",), targets=(), params=PretrainParams(), out=tmp_path / "out",
        saving=saving,
    )  # fmt: skip


def test_the_lock_is_taken_before_the_graph_is_read_and_given_back_when_it_cannot_be(unreadable):
    with pytest.raises(StoreError):
        run_pretraining(unreadable)
    folder = unreadable.saving.folder
    assert folder.is_dir()  # it was held
    assert not is_held(folder)
    held(folder).close()
