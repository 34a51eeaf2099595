import subprocess
import sys
import textwrap

import pytest

from hier_dag.train.allocator import keep_what_steps_reuse

FAULTS = textwrap.dedent("""
    import resource, sys, torch
    from hier_dag.train.allocator import keep_what_steps_reuse
    torch.set_num_threads(1)
    if sys.argv[1] == "kept":
        assert keep_what_steps_reuse()
    def step():
        return [torch.ones(1 << 19) for _ in range(40)]  # 2 MiB each
    step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
""")


@pytest.mark.skipif(not keep_what_steps_reuse(), reason="the C library has no mallopt")
def test_steps_find_the_memory_of_the_step_before():
    faults = {}
    for how in ("left", "kept"):
        done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
        faults[how] = int(done.stdout)
    assert faults["kept"] < faults["left"] / 4  # .00 to .15, by what the kernel makes of huge pages
