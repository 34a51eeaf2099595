"""Damage that leaves a size as it was is found by reading, and written again from a place that is whole."""

from dataclasses import replace

import fsspec
import pytest

from benchmarks.faults.published_sets import DOMAIN, Site
from hier_dag.pipeline.copies import RECORD, check_copies
from hier_dag.publish.reader import open_set
from hier_dag.publish.reader.layout import set_folder
from hier_dag.publish.reader.records import record_path


@pytest.fixture
def site(tmp_path):
    """Version 1 at home, at a copy in a folder and at one in an object store."""
    site = Site(tmp_path / "home", copies=(str(tmp_path / "copy"), f"memory://{tmp_path.name}"))
    site.publish(site.workshop(), 1)
    yield site
    fsspec.filesystem("memory").rm(f"/{tmp_path.name}", recursive=True)


def checked(site, *, repair=False):
    """What is damaged by place, and whether all was mended."""
    found = list(check_copies(site.workshop(), site.policy(), [DOMAIN], repair=repair))
    assert [at.place for at in found] == site.roots()
    return [set(at.damaged) for at in found], [at.whole for at in found]


def flip(root, name):
    """One bit in the middle of a file."""
    with fsspec.open(f"{root}/{name}", "rb") as file:
        data = bytearray(file.read())
    data[len(data) // 2] ^= 1
    with fsspec.open(f"{root}/{name}", "wb") as file:
        file.write(data)


def of_set(site, name):
    return f"{set_folder(site.registry().alias(DOMAIN).digest)}/{name}"


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("names", [("users.parquet",), ("manifest.json", "items.faiss", "seen.parquet")])
def test_what_is_damaged_of_its_size_is_found_and_repaired_at_every_kind_of_place(site, at, names):
    assert checked(site) == ([set()] * 3, [True] * 3)
    for name in names:
        flip(site.roots()[at], of_set(site, name))
    damaged = [set()] * 3
    damaged[at] = {names[0]}
    assert checked(site) == (damaged, [n != at for n in range(3)])
    assert checked(site, repair=True) == (damaged, [True] * 3)
    assert checked(site) == ([set()] * 3, [True] * 3)
    assert open_set(site.home, DOMAIN).facts["mark"] == 1


def test_a_record_that_is_damaged_or_lost_is_written_again(site):
    memory, name = fsspec.filesystem("memory"), record_path(DOMAIN, "live", 1)
    flip(site.copies[0], name)
    memory.rm(f"{site.copies[1]}/{name}".removeprefix("memory:/"))
    assert checked(site, repair=True) == ([set(), {RECORD}, {RECORD}], [True] * 3)
    assert checked(site) == ([set()] * 3, [True] * 3)


def test_where_no_place_has_it_whole_nothing_is_repaired_and_it_is_said(site):
    for root in site.roots():
        flip(root, of_set(site, "users.parquet"))
    found = list(check_copies(site.workshop(), site.policy(), [DOMAIN], repair=True))
    assert not any(at.whole for at in found)
    assert all("no copy has it whole" in at.error for at in found)


def test_a_place_that_cannot_be_read_hides_no_other(site, tmp_path):
    flip(site.copies[1], of_set(site, "users.parquet"))
    policy = replace(site.policy(), copies=("nowhere://x", *site.copies))
    found = list(check_copies(site.workshop(), policy, [DOMAIN, "nothing_published"], repair=True))
    assert [(at.whole, bool(at.error)) for at in found] == [
        (True, False),
        (False, True),
        (True, False),
        (True, False),
    ]
