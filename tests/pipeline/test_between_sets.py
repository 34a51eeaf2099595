"""Going back says of the space what was found when the two sets were compared, and never more than that."""

from dataclasses import replace

import pytest

from benchmarks.faults.published_sets import DOMAIN, Site
from hier_dag.pipeline.publication import name_set, roll_back
from hier_dag.publish.reader.places import LocalPlace
from hier_dag.publish.reader.records import newest
from hier_dag.registry import Move

ONE = "a" * 16
NEAR, FAR = {"residual": 0.02, "overlap": 0.98}, {"residual": 0.14, "overlap": 0.91}


@pytest.fixture
def site(tmp_path):
    """Versions 1, 2 and 3 of one space: 2 was found to be `aligned` beside 1, and 3 `same` beside 2."""
    site = Site(tmp_path / "home")
    workshop = site.workshop()
    publish(workshop, site, 1, "first", {})
    publish(workshop, site, 2, "aligned", FAR)
    publish(workshop, site, 3, "same", NEAR)
    return site


def publish(workshop, site, mark, change, comparison, *, space=ONE, **move):
    digest = site.make(workshop, mark).artifact.digest
    facts = {"comparison": comparison}
    wanted = Move(DOMAIN, "live", digest, "r", "w", change=change, space=space, facts=facts, **move)
    return workshop.registry.move_alias(wanted)


def back(site, to):
    row, _ = roll_back(site.workshop(), site.policy(), DOMAIN, to=to, why="w")
    record = newest(LocalPlace(site.home), DOMAIN, "live")
    assert (record.version, record.change, record.facts.get("comparison")) == (
        row.version, row.change, row.facts.get("comparison"),
    )  # fmt: skip
    return row


def test_a_roll_back_is_what_the_later_set_was_to_the_earlier_one_and_has_its_figures(site):
    row = back(site, 2)
    assert (row.change, row.facts["comparison"], row.facts["comparison_of"]) == ("same", NEAR, 3)
    row = back(site, 1)
    assert (row.change, row.facts["comparison"], row.facts["comparison_of"]) == ("aligned", FAR, 2)


def test_forth_again_is_what_it_was_the_first_time(site):
    back(site, 2)
    back(site, 1)
    row = back(site, 2)
    assert (row.change, row.facts["comparison"], row.facts["comparison_of"]) == ("aligned", FAR, 2)


def test_sets_of_one_space_that_were_never_compared_are_not_called_the_same(site):
    row = back(site, 1)
    assert row.change == "aligned"
    assert "comparison" not in row.facts
    assert "never took each other's place" in row.facts["not_compared"]


def test_a_set_of_another_space_is_breaking_however_it_was_compared(site):
    publish(site.workshop(), site, 4, "breaking", {"residual": 1.4}, space="b" * 16)
    row = back(site, 3)
    assert (row.change, row.facts["comparison"]) == ("breaking", {"residual": 1.4})


def test_what_was_compared_with_a_version_that_the_registry_lost_is_not_taken_for_another(site):
    # Readers knew version 6: version 7 was compared with that, which this registry does not have.
    publish(site.workshop(), site, 4, "same", NEAR, beyond=6)
    row = back(site, 3)
    assert (row.version, row.change) == (8, "aligned")
    assert "not_compared" in row.facts


def test_a_further_alias_says_the_same_of_the_sets_that_it_names(site):
    def canary(version):
        policy = replace(site.policy(), alias="canary")
        return name_set(site.workshop(), policy, DOMAIN, version=version, why="w")[0]

    assert canary(1).change == "first"
    row = canary(2)
    assert (row.change, row.facts["comparison"]) == ("aligned", FAR)
    assert canary(3).change == "same"
    row = canary(1)
    assert (row.change, "not_compared" in row.facts) == ("aligned", True)
