"""A live set, an anchor or an earlier set that is lost or damaged at home comes back from a copy."""

import shutil
from dataclasses import replace

import pytest

from benchmarks.faults.published_sets import DOMAIN, Site
from hier_dag.errors import StoreError
from hier_dag.pipeline.publication import go_live, name_set, roll_back
from hier_dag.pipeline.published_sets import anchor_set
from hier_dag.pipeline.stages import PUBLISHED
from hier_dag.progress import listening
from hier_dag.publish.reader import open_set


@pytest.fixture
def site(tmp_path):
    """Versions 1 and 2, at home and at the second of two copies; the first has nothing."""
    site = Site(tmp_path / "home", copies=(str(tmp_path / "copy"),))
    for mark in (1, 2):
        site.publish(site.workshop(), mark)
    return replace(site, copies=(str(tmp_path / "empty"), str(tmp_path / "copy")))


def digest_of(site, version):
    return next(r.digest for r in site.registry().alias_history(DOMAIN) if r.version == version)


def lose(root, digest):
    shutil.rmtree(root / "store" / "artifacts" / PUBLISHED / digest)


def damage(root, digest):
    """One bit of the user vectors; every size stays as it was."""
    path = root / "store" / "artifacts" / PUBLISHED / digest / "users.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def publish_third(site):
    workshop, compared, steps = site.workshop(), [], []

    def compare(new, live):
        compared.append(live.json("set.json")["mark"])
        return "breaking", {}

    with listening(steps.append):
        artifact = site.make(workshop, 3).artifact
        done = go_live(workshop, artifact, site.policy(), compare, run_id="r", why="w", facts={})
    return done, compared, [step.text for step in steps]


@pytest.mark.parametrize("harm", [lose, damage])
def test_a_live_set_that_is_not_whole_comes_back_and_the_next_one_is_published(site, harm):
    live = digest_of(site, 2)
    harm(site.home, live)
    done, compared, told = publish_third(site)
    assert (done.row.version, compared) == (3, [2])
    assert open_set(site.home, DOMAIN).facts["mark"] == 3
    assert site.workshop().open(PUBLISHED, live).json("set.json")["mark"] == 2
    (space,) = [c for c in done.checks if c.name == "space_contract"]
    assert space.facts["live_set_brought_back_from"] == site.copies[1]
    assert told == [f"set {live[:12]} was brought back from {site.copies[1]}"]


@pytest.mark.parametrize("harm", [lose, damage])
def test_where_no_copy_has_it_whole_the_error_names_every_copy_and_what_to_do(site, tmp_path, harm):
    for root in (site.home, tmp_path / "copy"):
        harm(root, digest_of(site, 2))
    with pytest.raises(
        StoreError, match=r"live set \(version 2\) is not whole.*no copy has it whole"
    ) as told:
        publish_third(site)
    for place in site.copies:
        assert f"{place}: " in told.value.message
    assert f"hier rollback {DOMAIN} --to VERSION" in told.value.fix
    assert site.registry().alias(DOMAIN).version == 2


@pytest.mark.parametrize("harm", [lose, damage])
def test_an_anchor_comes_back_too(site, harm):
    anchor = digest_of(site, 1)
    harm(site.home, anchor)
    found = anchor_set(site.workshop(), anchor, DOMAIN, site.copies)
    assert (found.artifact.json("set.json")["mark"], found.place) == (1, site.copies[1])
    assert anchor_set(site.workshop(), anchor, DOMAIN, site.copies).place is None
    lose(site.home, anchor)
    with pytest.raises(StoreError, match=r"the set that began the live space .* is not whole"):
        anchor_set(site.workshop(), anchor, DOMAIN, ())


def test_a_roll_back_to_a_set_that_is_at_a_copy_alone(site):
    lose(site.home, digest_of(site, 1))
    row, old = roll_back(site.workshop(), site.policy(), DOMAIN, to=None, why="ranks badly")
    assert (row.version, old.version) == (3, 1)
    assert row.facts["brought_back_from"] == site.copies[1]
    for root in site.roots():
        assert open_set(root, DOMAIN).facts["mark"] == 1


def test_a_roll_back_to_a_set_that_is_nowhere_moves_nothing(site, tmp_path):
    for root in (site.home, tmp_path / "copy"):
        lose(root, digest_of(site, 1))
    with pytest.raises(StoreError, match=r"is not in the store; no copy has it whole .*no such set"):
        roll_back(site.workshop(), site.policy(), DOMAIN, to=1, why="w")
    assert site.registry().alias(DOMAIN).version == 2


def test_a_further_alias_may_name_a_set_that_is_at_a_copy_alone(site):
    lose(site.home, digest_of(site, 1))
    name_set(site.workshop(), replace(site.policy(), alias="canary"), DOMAIN, version=1, why="w")
    assert open_set(site.home, DOMAIN, "canary").facts["mark"] == 1
