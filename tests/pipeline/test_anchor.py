"""The anchor of a set: the space of what is live for a new model, the one it had before for a known one."""

from types import SimpleNamespace

import pytest

from hier_dag.config.stages import PublishParams
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.requests import published_request
from hier_dag.pipeline.stages import ENCODER, GRAPH, MODEL, PUBLISHED
from hier_dag.pipeline.workshop import Built, Workshop
from hier_dag.publish.space.params import SpaceParams
from hier_dag.registry import Move, Registry
from hier_dag.registry.aliases import ROLLBACK
from hier_dag.store import ArtifactStore
from tests.databases import registry_url

DOMAIN = "cafe"


class Platform:
    """A registry in which models are trained and published in a few words; sets hold their name alone."""

    def __init__(self, home):
        registry = Registry(registry_url(home / "registry.db"), platform="city")
        self.workshop = Workshop(ArtifactStore(home / "store"), registry)
        self.registry = registry

    def make(self, request, name, **summary):
        def build(_, staged):
            (staged / "name").write_text(name)
            return Built(summary=summary)

        return self.workshop.make(request, build, run_id="run").artifact.digest

    def train(self, name):
        """The model of a name is the one that was asked for last."""
        graph = self.make(Request(GRAPH, None, "1", {}), "graph")
        encoder = self.make(Request(ENCODER, None, "1", {}, {"graph": graph}), "encoder")
        parents = {"graph": graph, "encoder": encoder}
        return self.make(Request(MODEL, DOMAIN, "1", {"name": name}, parents), name)

    def request(self, **space):
        stages = SimpleNamespace(publish=PublishParams(space=SpaceParams(**space)))
        return published_request(SimpleNamespace(stages=stages), self.registry, DOMAIN)

    def publish(self, *, breaking=False, **space):
        """The set of the newest model goes live, in the space of its anchor unless it is breaking."""
        request = self.request(**space)
        anchor = None if breaking else request.parents.get("anchor")
        digest = self.make(request, request.parents["model"], space=(anchor or "own")[:16], anchor=anchor)
        self.point_at(digest)
        return digest

    def roll_back(self, version):
        row = next(r for r in self.registry.alias_history(DOMAIN) if r.version == version)
        self.point_at(row.digest, action=ROLLBACK)

    def point_at(self, digest, alias="live", **how):
        self.registry.move_alias(Move(DOMAIN, alias, digest, run_id="", why="test", **how))


@pytest.fixture
def platform(tmp_path):
    return Platform(tmp_path)


def anchor_of(request):
    return request.parents.get("anchor")


def test_the_first_set_has_no_anchor(platform):
    model = platform.train("first")
    asked = platform.request()
    assert anchor_of(asked) is None
    assert asked.parents["model"] == model


def test_a_second_model_goes_on_with_the_space_of_the_first_and_so_does_a_third(platform):
    platform.train("first")
    first = platform.publish()
    platform.train("second")
    assert anchor_of(platform.request()) == first
    platform.publish()
    platform.train("third")
    assert anchor_of(platform.request()) == first


def test_after_a_breaking_set_new_models_go_on_with_its_space(platform):
    platform.train("first")
    platform.publish()
    platform.train("other")
    other = platform.publish(breaking=True)
    platform.train("third")
    assert anchor_of(platform.request()) == other


@pytest.mark.parametrize("breaking", [False, True])
def test_a_model_that_is_live_is_asked_for_in_the_same_words_again(platform, breaking):
    platform.train("first")
    asked = platform.request()
    platform.publish()
    assert platform.request() == asked
    platform.train("second")
    asked = platform.request()
    platform.publish(breaking=breaking)
    assert platform.request() == asked


def test_a_roll_back_to_another_space_changes_no_request_of_a_model_that_was_live(platform):
    asked = {}
    for name in ("first", "other", "third"):
        platform.train(name)
        asked[name] = platform.request()
        platform.publish(breaking=name == "other")
    for version in (1, 2, 3):
        platform.roll_back(version)
        for name, before in asked.items():
            platform.train(name)
            assert platform.request() == before


def test_a_new_model_after_a_roll_back_goes_on_with_the_space_that_was_restored(platform):
    platform.train("first")
    first = platform.publish()
    platform.train("other")
    platform.publish(breaking=True)
    platform.roll_back(1)
    platform.train("third")
    assert anchor_of(platform.request()) == first


def test_a_model_that_was_live_two_versions_ago_comes_back_by_the_same_request(platform):
    platform.train("first")
    asked = platform.request()
    first = platform.publish()
    for name in ("second", "third"):
        platform.train(name)
        platform.publish(breaking=name == "third")
    platform.train("first")
    assert platform.request() == asked
    assert platform.publish() == first


def test_of_a_model_that_was_live_by_two_anchors_the_later_one_counts(platform):
    model = platform.train("first")
    platform.publish()
    assert anchor_of(platform.request()) is None
    later = Request(PUBLISHED, DOMAIN, "2", {}, {"model": model, "anchor": "f" * 64})
    platform.point_at(platform.make(later, "again", space="f" * 16, anchor="f" * 64))
    assert anchor_of(platform.request()) == "f" * 64


def test_alignment_that_is_switched_off_or_on_keeps_the_anchor(platform):
    platform.train("first")
    first = platform.publish(align=False)
    platform.train("second")
    assert anchor_of(platform.request(align=False)) == first
    platform.publish(align=False)
    assert anchor_of(platform.request(align=True)) == first
    assert platform.request(align=True).key != platform.request(align=False).key


def test_another_alias_is_no_history_of_live(platform):
    platform.train("first")
    first = platform.publish()
    platform.train("canary")
    asked = platform.request()
    digest = platform.make(asked, "canary", space="own", anchor=None)
    platform.point_at(digest, alias="canary")
    platform.train("third")
    assert anchor_of(platform.request()) == first
