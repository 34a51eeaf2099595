"""What changed since the version before is told as it is: figures, files, parameters, artifacts."""

import pytest

from hier_dag.audit.bundle.changes import changes, changes_part
from hier_dag.audit.evidence.subject import subject_of
from hier_dag.registry import Move
from tests.retention.conftest import Town


@pytest.fixture
def town(tmp_path):
    return Town(tmp_path)


def about(town, version=None):
    return subject_of(town.store, town.registry, "town", "cafe", version)


def rows(part):
    """Rows of each table as plain text, by its title without the count."""
    text = lambda c: c if isinstance(c, str) else c.text  # noqa: E731
    return {t.title.rpartition(" (")[0]: [tuple(map(text, r)) for r in t.rows] for t in part.tables}


def test_the_first_version_has_none_before(town):
    town.publish("one")
    assert changes(about(town)) is None
    assert changes_part(None).text == ("This is the first version.",)


def test_an_artifact_that_differs_is_named_one_that_both_were_made_of_is_not(town):
    kept = town.make("links", "raw/links")
    old, new = town.make("old graph", parents=[kept]), town.make("new graph", parents=[kept])
    town.publish("one", parents=[old])
    town.publish("two", parents=[new])
    told = changes(about(town))
    assert (told["since"], told["same"]) == (1, 1)
    part = changes_part(told)
    assert ("kg/graph", old[:12], new[:12]) in rows(part)["artifacts"]
    assert "raw/links" not in str(rows(part))
    assert "The same: figures of HIER, raw files, parameters and seeds, environment." in part.text[0]


def test_what_comes_before_is_told_as_lost_where_it_is_not_on_record(town):
    town.registry.move_alias(Move("cafe", "live", "f" * 64, "r", "w"))
    town.publish("two")
    told = changes(about(town))
    assert told.keys() == {"since", "not_told"}
    assert "can no longer be told" in changes_part(told).text[0]


def test_figures_files_parameters_and_distributions_are_rows_before_and_after():
    told = {
        "since": 4,
        "same": 9,
        "artifacts": [
            {
                "title": "kg/graph",
                "before": None,
                "after": {"digest": "a" * 64, "code_version": "2", "code_commit": "b" * 40 + "-dirty"},
                "parameters": [{"key": "dim", "before": 64, "after": "absent"}],
                "seeds": ([0], [1]),
            }
        ],
        "files": [{"location": "new.csv", "sha256": (None, "c" * 64)}],
        "environment": [{"key": "numpy", "before": "2.4.5", "after": "2.4.6"}],
        "figures": [
            {"metric": "ndcg", "k": 10, "shots": "1", "before": [0.1, 0.09, 0.11], "after": None},
            {"metric": "coverage", "k": 10, "shots": "1", "before": None, "after": [0.5, 0.5, 0.5]},
        ],
    }
    part = changes_part(told)
    assert rows(part) == {
        "figures of HIER": [("NDCG@10, 1 per user", "0.1000", "–")],
        "raw files": [("new.csv", "–", "c" * 12)],
        "parameters and seeds": [("kg/graph: dim", "64", "absent"), ("kg/graph: seeds", "[0]", "[1]")],
        "environment": [("numpy", "2.4.5", "2.4.6")],
        "artifacts": [("kg/graph", "–", "a" * 12)],
    }
    assert part.tables[-1].rows[0][2].note == "code 2 at bbbbbbbbbbbb-dirty"
