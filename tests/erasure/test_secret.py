"""The secret is the platform's own, and no other file lets an id be tried out."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from hier_dag.erasure.receipt import commitments
from hier_dag.erasure.secret import FILE, Secret, make_secret, read_secret
from hier_dag.errors import ConfigError


def test_a_secret_is_made_once_and_is_its_owners_alone(tmp_path):
    assert read_secret(tmp_path) is None
    made = make_secret(tmp_path)
    assert make_secret(tmp_path) == read_secret(tmp_path) == made
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == [FILE]
    assert made.text not in repr(made)


def test_whoever_makes_one_at_the_same_time_gets_the_same(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        assert len({s.text for s in pool.map(lambda _: make_secret(tmp_path), range(32))}) == 1


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("ab" * 32, 0o644, "open to others"),
        ("ab" * 31, 0o600, "no secret of ours"),
        ("é", 0o600, "be read"),
    ],
)
def test_a_secret_that_is_open_or_damaged_is_refused(tmp_path, text, mode, words):
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    (tmp_path / FILE).chmod(mode)
    with pytest.raises(ConfigError, match=words):
        make_secret(tmp_path)


def test_tokens_and_commitments_depend_on_the_secret_and_commitments_on_the_receipt():
    one, other = Secret("ab" * 32), Secret("cd" * 32)
    assert one.token("ann") == one.token("ann") != other.token("ann")
    assert commitments(one, "1", ["ann"]) != commitments(one, "2", ["ann"])
    assert commitments(one, "1", ["ann"]) != commitments(other, "1", ["ann"])
    assert commitments(one, "1", ["ann", "bob"]) == commitments(one, "1", ["bob", "ann"])
