"""`hier gc`, `hier pin` and `hier unpin`: what goes is shown first, what is pinned stays."""

import json

import pytest

from hier_dag.publish.mirror import copy_set
from tests.retention.conftest import Town


@pytest.fixture
def town(tmp_path, monkeypatch):
    """Five published sets, all of them years old."""
    town = Town(tmp_path)
    monkeypatch.setenv("HIER_HOME", str(town.home.root.parent))
    monkeypatch.setenv("HIER_DOMAINS", str(town.declaration))
    monkeypatch.delenv("HIER_REGISTRY", raising=False)
    town.sets = [town.publish(f"set {n}") for n in range(1, 6)]
    town.age()
    return town


def going(answer):
    assert answer.code == 0, answer.err
    return {a["digest"] for a in json.loads(answer.out)["artifacts"]}


def test_without_delete_it_shows_what_would_go_and_removes_nothing(hier, town):
    answer = hier("gc")
    assert answer.code == 0, answer.err
    assert "Would be removed" in answer.out
    assert "superseded by" in answer.out
    assert "2 artifacts would go" in answer.out
    assert "the same with --delete" in answer.out
    stays = [line.split("│")[1:3] for line in answer.out.splitlines() if "alias" in line or "roll" in line]
    assert [(why.strip(), int(sets)) for why, sets in stays] == [
        ("an alias points to it", 1),
        ("kept for a roll-back", 2),
    ]
    assert town.there() == set(town.sets)


def test_with_delete_it_removes_that_and_a_second_time_there_is_nothing(hier, town):
    planned = going(hier("gc", "--json"))
    assert planned == set(town.sets[:2])
    assert going(hier("gc", "--delete", "--json")) == planned
    assert town.there() == set(town.sets[2:])
    answer = hier("gc", "--delete")
    assert answer.code == 0
    assert "Nothing to remove." in answer.out


def test_more_or_fewer_sets_stay_as_asked(hier, town):
    assert going(hier("gc", "--keep", 1, "--json")) == set(town.sets[:4])
    assert going(hier("gc", "--keep", 5, "--json")) == set()
    assert hier("gc", "--keep", 0).code == 2


def test_what_was_used_since_the_days_given_stays(hier, town):
    assert going(hier("gc", "--older-than", 30_000, "--json")) == set()
    assert hier("gc", "--older-than", -1).code == 2


def test_a_pinned_version_stays_until_the_pin_is_taken_back(hier, town):
    answer = hier("pin", "cafe", "--version", 1, "--why", "a lawsuit")
    assert answer.code == 0, answer.err
    assert "cafe version 1" in answer.out
    assert "for good" in answer.out
    town.age()
    assert going(hier("gc", "--json")) == {town.sets[1]}
    assert hier("unpin", "cafe", "--version", 1, "--why", "settled").code == 0
    assert going(hier("gc", "--json")) == set(town.sets[:2])
    assert [(d.kind, d.why) for d in town.registry.decisions()] == [
        ("unpin", "settled"),
        ("pin", "a lawsuit"),
    ]


def test_pins_are_told_in_json(hier, town):
    told = json.loads(hier("pin", "cafe", "--why", "audit", "--until", "2999-12-31", "--json").out)
    assert (told["domain"], told["version"], told["digest"]) == ("cafe", 5, town.sets[4])
    assert (told["pinned"], told["why"]) == (True, "audit")
    assert told["until"].startswith("2999-12-31T23:59:59")
    assert "T" in told["created_at"]
    told = json.loads(hier("unpin", "cafe", "--why", "settled", "--json").out)
    assert (told["version"], told["pinned"], told["until"], told["why"]) == (5, False, None, "settled")


def test_without_a_version_the_live_set_is_pinned_and_the_last_day_counts(hier, town):
    answer = hier("pin", "cafe", "--why", "audit", "--until", "2999-12-31")
    assert "version 5" in answer.out
    assert "until 2999-12-31 23:59:59 UTC" in answer.out
    (pin,) = town.registry.decisions()
    assert pin.subject == town.sets[4]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pin", "bar"), "known: cafe"),
        (("pin", "cafe", "--version", 9), "versions: 1 to 5"),
        (("pin", "cafe", "--until", "2020-01-01"), "has passed"),
        (("pin", "cafe", "--until", "soon"), "is no moment"),
        (("unpin", "cafe", "--version", 1), "is not pinned"),
    ],
)
def test_a_pin_that_cannot_be_says_what_to_do(hier, town, arguments, said):
    answer = hier(*arguments, "--why", "w")
    assert answer.code == 2
    assert said in answer.err
    assert "→" in answer.err
    assert town.registry.decisions() == []


def test_a_reason_must_say_something(hier, town):
    assert hier("pin", "cafe", "--why", " ").code == 2
    assert hier("unpin", "cafe", "--why", " ").code == 2


@pytest.mark.parametrize(
    "command",
    [
        ("pin", "cafe"),
        ("unpin", "cafe"),
        ("waive", "cafe"),
        ("approve", "cafe"),
        ("rollback", "cafe"),
        ("alias", "cafe", "canary"),
    ],
)
@pytest.mark.parametrize(
    ("why", "said"), [("\udcff", "is not UTF-8"), ("w" * 2_001, "2,001 characters"), (" ", "needs a reason")]
)
def test_a_reason_that_cannot_be_recorded_is_refused_by_every_command(hier, town, command, why, said):
    until = ("--until", "2999-12-31") if command[0] == "waive" else ()
    answer = hier(*command, *until, "--why", why)
    assert answer.code == 2
    assert said in answer.err
    assert town.registry.decisions() == []
    assert town.registry.alias("cafe").version == 5


def test_an_approval_may_name_any_set_of_the_domain_by_how_its_digest_begins(hier, town):
    assert hier("approve", "cafe", "--set", town.sets[1][:12], "--why", "w").code == 0
    assert hier("approve", "cafe", "--why", "w").code == 0
    assert [d.subject for d in town.registry.decisions()] == [town.sets[4], town.sets[1]]


def test_an_approval_of_no_set_of_the_domain_says_what_to_do(hier, town):
    elsewhere = town.publish("a set of the bar", domain="bar")
    graph = town.make("a graph", "kg/graph")
    for beginning in (town.sets[0][:7], "0" * 12, elsewhere[:12], graph[:12], "no digest"):
        answer = hier("approve", "cafe", "--set", beginning, "--why", "w")
        assert answer.code == 2
        assert "→" in answer.err
    assert town.registry.decisions() == []


def test_a_version_whose_set_was_removed_cannot_be_pinned_any_more(hier, town):
    hier("gc", "--delete")
    answer = hier("pin", "cafe", "--version", 1, "--why", "too late")
    assert answer.code == 2
    assert "was removed from the store on" in answer.err
    assert "superseded by" in answer.err


def test_a_registry_of_another_place_is_refused_before_anything_goes(hier, town, tmp_path, monkeypatch):
    monkeypatch.setenv("HIER_REGISTRY", f"sqlite:///{tmp_path / 'empty.db'}")
    for more in ((), ("--delete",)):
        answer = hier("gc", *more)
        assert answer.code == 1
        assert "HIER_REGISTRY" in answer.err
    assert town.there() == set(town.sets)


def test_sets_at_copies_are_shown_with_their_place_and_go_with_the_others(hier, town, tmp_path):
    copy = tmp_path / "copy"
    for digest in town.sets:
        copy_set(town.store.open("publish/embeddings", digest), copy)
    text = town.declaration.read_text()
    town.declaration.write_text(f"{text}stages: {{publish: {{copies: ['{copy}', 'nowhere://x']}}}}\n")
    town.age()  # to copy a set is to use it
    answer = hier("gc")
    assert "2 sets at copies" in answer.out
    assert "nothing goes there: nowhere://x" in answer.out
    answer = json.loads(hier("gc", "--delete", "--json").out)
    assert {(g["place"], g["digest"]) for g in answer["at_copies"]} == {(str(copy), d) for d in town.sets[:2]}
    left = (copy / "store" / "artifacts" / "publish" / "embeddings").iterdir()
    assert {p.name for p in left} == set(town.sets[2:])
