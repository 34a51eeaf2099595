"""A raw file's impact: everything made of it, what of it is live, and whether the file was replaced since."""

import pytest

from hier_dag.digest import digest_file
from hier_dag.errors import UsageError
from hier_dag.lineage.impact import impact
from tests.lineage.conftest import Works

JAN, FEB, MENDED = (c * 64 for c in "abc")


@pytest.fixture
def history(works):
    """January; January and February; then January's file came again with other bytes."""
    first = works.line("cafe", [("logs/cafe/jan.csv", JAN)])
    second = works.line(
        "cafe", [("logs/cafe/jan.csv", JAN), ("logs/cafe/feb.csv", FEB)], first["publish/embeddings"]
    )
    third = works.line(
        "cafe", [("logs/cafe/jan.csv", MENDED), ("logs/cafe/feb.csv", FEB)], first["publish/embeddings"]
    )
    for made in (first, second, third):
        works.publish("cafe", made["publish/embeddings"])
    return first, second, third


def of(works, file):
    return impact(works.registry, works.stores, file)


def test_a_replaced_file_is_told_with_what_replaced_it(works, history):
    first, second, third = history
    found = of(works, JAN)
    (content,) = found.contents
    assert (content.location, content.readers, content.replaced_by) == ("logs/cafe/jan.csv", 2, MENDED)
    assert content.first_read <= content.last_read <= content.replaced_at
    made = {a.node.digest for a in found.artifacts}
    assert made == {*first.values(), *second.values(), third["publish/embeddings"]}
    # The third set goes on with the space of the first, and holds nothing of the file as it was.
    assert found.space_only == {third["publish/embeddings"]}
    assert [v.version for v in found.versions] == [1, 2]
    assert found.live == []


def test_a_file_that_came_back_as_it_was_replaces_what_replaced_it(works, history):
    works.line("cafe", [("logs/cafe/jan.csv", JAN)])  # all of it is there already, and only asked for again
    (content,) = of(works, JAN).contents
    assert (content.readers, content.replaced_by, content.replaced_at) == (2, None, None)
    (mended,) = of(works, MENDED).contents
    assert mended.replaced_by == JAN
    assert mended.last_read < mended.replaced_at == content.last_read


def test_a_location_means_all_that_ever_lay_there(works, history):
    found = of(works, "logs/cafe/jan.csv")
    assert [(c.sha256, c.replaced_by) for c in found.contents] == [(JAN, MENDED), (MENDED, None)]
    assert {a.node.digest for a in found.artifacts} == {d for made in history for d in made.values()}
    assert [v.version for v in found.live] == [3]


@pytest.mark.parametrize("name", ["feb.csv", "./logs/cafe/feb.csv", FEB[:7], FEB.upper(), "feb"])
def test_a_file_is_found_by_any_of_its_names(works, history, name):
    found = of(works, name)
    assert {c.location for c in found.contents} == {"logs/cafe/feb.csv"}
    assert [v.version for v in found.live] == [3]


def test_a_file_at_hand_is_known_by_its_bytes_wherever_it_lies(works, tmp_path):
    (tmp_path / "copy.csv").write_text("user,item")
    works.line("cafe", [("logs/cafe.csv", digest_file(tmp_path / "copy.csv"))])
    assert of(works, str(tmp_path / "copy.csv")).contents[0].location == "logs/cafe.csv"


def test_a_file_that_lies_where_it_was_read_means_all_that_ever_lay_there(works, tmp_path):
    file = tmp_path / "logs" / "cafe.csv"
    file.parent.mkdir()
    file.write_text("user,item")
    works.line("cafe", [("logs/cafe.csv", JAN)])
    works.line("cafe", [("logs/cafe.csv", digest_file(file)), ("copy.csv", digest_file(file))])
    found = of(works, str(file))
    assert [(c.location, c.sha256) for c in found.contents] == [
        ("logs/cafe.csv", JAN), ("logs/cafe.csv", digest_file(file)),
    ]  # fmt: skip


def test_a_file_of_other_bytes_is_not_taken_for_one_of_its_name(works, history, tmp_path):
    file = tmp_path / "x" / "logs" / "cafe" / "feb.csv"
    file.parent.mkdir(parents=True)
    file.write_text("something else")
    with pytest.raises(UsageError, match=r"its bytes .* are others than any that were read") as told:
        of(works, str(file))
    assert told.value.file == str(file)
    assert "by its location as declared: logs/cafe/feb.csv" in told.value.fix


def test_a_path_where_no_file_is_is_no_location_though_it_ends_like_one(works, history):
    works.line("bar", [("logs/bar/feb.csv", "e" * 64)])
    with pytest.raises(UsageError, match="no artifact on record read") as told:
        of(works, "/nowhere/other/logs/cafe/feb.csv")
    assert "give a location such as logs/cafe/feb.csv, or" in told.value.fix
    with pytest.raises(UsageError, match="no artifact on record read") as told:
        of(works, "/nowhere/feb.csv")
    assert "such as logs/bar/feb.csv, logs/cafe/feb.csv, or" in told.value.fix


def test_platforms_that_share_a_registry_are_told_apart(works, history, tmp_path):
    other = Works(tmp_path, "mall")
    made = other.line("bar", [("logs/cafe/jan.csv", "d" * 64)])
    other.publish("bar", made["publish/embeddings"])
    found = of(works, "logs/cafe/jan.csv")
    assert [(c.platform, c.sha256[0], c.replaced_by) for c in found.contents] == [
        ("mall", "d", None), ("town", "a", MENDED), ("town", "c", None),
    ]  # fmt: skip
    assert {(v.platform, v.domain) for v in found.live} == {("mall", "bar"), ("town", "cafe")}


def test_what_names_no_file_or_several_says_what_there_is(works, history):
    with pytest.raises(UsageError, match=r"part of several locations: logs/cafe/feb.csv, logs/cafe/jan.csv"):
        of(works, "cafe/")
    with pytest.raises(UsageError, match="no artifact on record read") as told:
        of(works, "march")
    assert "logs/cafe/" in told.value.fix
    works.line("bar", [("logs/bar.csv", "abad" + "0" * 60)])
    works.line("bar", [("logs/bar.csv", "abad" + "1" * 60)])
    with pytest.raises(UsageError, match="begins the SHA-256 of several files"):
        of(works, "abad")


def test_before_the_first_run_it_says_what_to_run(works):
    with pytest.raises(UsageError) as told:
        of(works, "jan.csv")
    assert told.value.fix == "run: hier run"
