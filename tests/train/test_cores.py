"""Cores: no more than the scheduler and the control groups grant, whatever the machine has."""

import os
import subprocess
import sys

import pytest
import torch

from hier_dag.model.formulation import Shard
from hier_dag.train.cores import cores
from hier_dag.train.ranks import Ranks
from hier_dag.train.seeding import seeded


@pytest.fixture
def granted(tmp_path, monkeypatch):
    """Cores on a machine of 64 whose control groups are given as files."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))

    def of(mine, files):
        (tmp_path / "mine").write_text(mine)
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return cores(tmp_path, tmp_path / "mine")

    return of


def version_1(group, quota):
    return {f"{group}/cpu.cfs_quota_us": f"{quota}\n", f"{group}/cpu.cfs_period_us": "100000\n"}


V2, V1 = "0::/pod/worker\n", "9:memory:/\n4:cpu,cpuacct:/pod/worker\n0::/\n"


@pytest.mark.parametrize(
    ("mine", "files", "want"),
    [
        (V2, {"pod/worker/cpu.max": "200000 100000\n"}, 2),
        (V2, {"pod/worker/cpu.max": "250000 100000\n"}, 3),
        (V2, {"pod/worker/cpu.max": "50000 100000\n"}, 1),
        (V2, {"pod/worker/cpu.max": "max 100000\n"}, 64),
        (V2, {"pod/worker/cpu.max": "max 100000\n", "pod/cpu.max": "400000 100000\n"}, 4),
        (V2, {"cpu.max": "800000 100000\n"}, 8),  # a container sees its own group as the outermost
        (V2, {"pod/worker/cpu.max": "9900000 100000\n"}, 64),
        ("0::/../elsewhere\n", {"cpu.max": "300000 100000\n"}, 3),
        (V1, version_1("cpu/pod/worker", "150000"), 2),
        (V1, version_1("cpu,cpuacct", "500000"), 5),
        (V1, version_1("cpu/pod/worker", "-1"), 64),
        (V2, {}, 64),
        ("", {}, 64),
    ],
)  # fmt: skip
def test_the_quota_of_every_group_counts_rounded_up(granted, mine, files, want):
    assert granted(mine, files) == want


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux alone binds processes to cores")
def test_a_process_that_is_bound_to_one_core_has_one():
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});" \
        "from hier_dag.train.cores import cores; print(cores())"  # fmt: skip
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "1\n"


def test_trainings_and_ranks_start_as_many_threads_as_there_are_cores(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5})
    assert Ranks().threads(0) == 1
    assert Ranks(Shard(0, 2)).threads(0) == 1
    assert Ranks(Shard(0, 2)).threads(5) == 5
    with seeded(0, 0, torch.device("cpu")):
        assert torch.get_num_threads() == 1
