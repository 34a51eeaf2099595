"""A step's memory is what it held at most, and pages of mapped files are no need of the process."""

import mmap

from benchmarks.step_memory import StepMemory

SIZE = 64 << 20
NEAR = 8 << 20


def test_what_a_step_holds_is_told_by_kind_and_only_for_that_step(tmp_path):
    (tmp_path / "file").write_bytes(bytes(SIZE))
    watch = StepMemory(tmp_path)
    with watch.step("whole"):
        with watch.step("held"):
            held = bytearray(b"1") * SIZE
        del held
        with watch.step("mapped"), (tmp_path / "file").open("rb") as file:
            read = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            assert not any(read[at] for at in range(0, SIZE, mmap.PAGESIZE))
        with watch.step("nothing"):
            read.close()
    watch.close()
    steps = watch.steps
    assert list(steps) == ["held", "mapped", "nothing", "whole"]
    assert abs(steps["held"]["anonymous"] - SIZE) < NEAR
    assert abs(steps["mapped"]["mapped"] - SIZE) < NEAR
    assert steps["mapped"]["anonymous"] < NEAR
    assert steps["nothing"]["anonymous"] < NEAR
    assert steps["whole"]["all"] >= steps["held"]["all"]
    assert steps["whole"]["seconds"] >= steps["held"]["seconds"] > 0
    assert steps["held"]["cpu"] > 0
