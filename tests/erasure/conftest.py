"""Hand-made sets at a place of their own, and erasures there."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benchmarks.faults.published_sets import Site
from hier_dag.erasure.forget import forget
from hier_dag.ingest.connection import connect
from hier_dag.pipeline.publication import go_live


class Place:
    """A domain whose sets of a mark are published under aliases."""

    def __init__(self, folder, copies=()):
        self.site = Site(folder / "home", copies)
        self.home = self.site.home
        self.workshop = self.site.workshop()
        self.registry = self.workshop.registry
        self.policy = self.site.policy()
        self.scratch = folder / "scratch"

    def publish(self, mark, alias="live"):
        """Puts the set of a mark in force; its version."""

        def compare(new, live):
            return ("first" if live is None else "breaking"), {}

        made = self.site.make(self.workshop, mark).artifact
        policy = replace(self.policy, alias=alias)
        return go_live(self.workshop, made, policy, compare, run_id="r", why="w", facts={}).row

    def forget(self, *users, why="a request", policy=None, **options):
        """Erases users."""
        with connect(self.scratch) as con:
            return forget(con, self.workshop, policy or self.policy, users, why=why, **options)

    def holding(self, *users, root=None):
        """Tables below the home, or another root, in which one of the users stands."""
        files = sorted(Path(root or self.home).rglob("*.parquet"))
        return [f for f in files if _stands(pq.read_table(f), users)]


def _stands(table, users):
    return (
        "user_id" in table.column_names
        and pc.any(pc.is_in(table["user_id"], pa.array(users, pa.string()))).as_py()
    )


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


@pytest.fixture
def copied(tmp_path):
    """The same with a copy in a folder."""
    return Place(tmp_path, (str(tmp_path / "copy"),))
