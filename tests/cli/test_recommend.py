"""`hier recommend`: which version answers, and whether the answer says so."""

import json

import pytest

from hier_dag.publish.reader import open_set


@pytest.fixture
def user(platform):
    return open_set(platform.home.root, "grocery").some_users(1)[0]


def test_the_answer_says_which_version_it_is_from(platform, hier, user):
    live = open_set(platform.home.root, "grocery")
    told = json.loads(hier("recommend", "grocery", user, "--json").out)
    assert (told["alias"], told["version"], told["digest"]) == ("live", live.version, live.digest)
    assert told["space"] == live.space
    assert [i["item_id"] for i in told["items"]] == [r.item_id for r in live.recommend(user)]
    assert f"version {live.version}" in hier("recommend", "grocery", user).out


def test_an_earlier_version_can_be_asked_for(platform, hier, user):
    code, out, _ = hier("recommend", "grocery", user, "--version", "1", "--json")
    assert (code, json.loads(out)["version"]) == (0, 1)
    code, _, err = hier("recommend", "grocery", user, "--version", "99")
    assert code == 2
    assert "alias 'live' has no version 99" in err


def test_an_alias_that_was_never_published_is_refused(platform, hier, user):
    code, _, err = hier("recommend", "grocery", user, "--alias", "canary")
    assert code == 2
    assert "nothing is published for 'grocery' as 'canary'" in err
