"""Another process holds the registry: waited for, then a clear error, and nothing is lost."""

import sqlite3
import threading
import time

import dagster as dg
import pytest

from hier_dag.orchestration.runner import run, steps
from hier_dag.pipeline.policy import policy_of
from hier_dag.pipeline.stages import EVENTS
from hier_dag.pipeline.workshop import Workshop
from hier_dag.progress import listening
from hier_dag.registry import Registry
from resources import RegistryResource
from tests.databases import of_sqlite

pytestmark = of_sqlite
STEP = "raw/events[recipes]"


@pytest.fixture
def changed(own):
    """A platform in which one small domain has to be read again."""
    text = own.domains.read_text(encoding="utf-8")
    own.domains.write_text(text.replace("{favourite: 2}", "{favourite: 4}"), encoding="utf-8")
    return own


def held(platform, mode="IMMEDIATE"):
    """A connection of another process's kind that holds the registry's lock."""
    connection = sqlite3.connect(platform.registry_file, check_same_thread=False, isolation_level=None)
    connection.execute(f"BEGIN {mode}")
    return connection


def impatient(platform, patience):
    """Runs ingest of one domain as `hier run` does, with less patience; gives how it ended."""
    url = f"sqlite:///{platform.registry_file}"
    name = platform.home.platform
    registry = RegistryResource(url=url, platform=name, timeout=patience)
    resources = {**platform.definitions().resources, "registry": registry}
    definitions = dg.Definitions(assets=platform.definitions().assets, resources=resources)
    workshop = Workshop(platform.store, Registry(url, platform=name))
    (step,) = [s for wave in steps(platform.config, workshop) for s in wave if s.title == STEP]
    return workshop, step, lambda: (definitions, platform.instance())


def failed_checks(platform):
    """Every asset check that ever failed on a platform's instance."""
    kind = dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    records = platform.instance().get_event_records(kind, limit=1000)
    found = [r.event_log_entry.asset_check_evaluation for r in records]
    return [check for check in found if not check.passed]


@pytest.mark.parametrize("mode", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_lock_that_stays_is_told_and_nothing_is_lost(changed, mode):
    before = changed.live(), changed.registry.latest(EVENTS, "recipes")
    workshop, step, dagster = impatient(changed, 0.5)
    lock = held(changed, mode)
    (done,) = run(dagster, [[step]], workshop, policy_of(changed.config, changed.home.root))
    lock.execute("ROLLBACK")
    lock.close()
    assert done.outcome == "failed"
    for words in ("registry.db", "could not be used for 0.5 s", "locked", "then run again"):
        assert words in done.message
    assert (changed.live(), changed.registry.latest(EVENTS, "recipes")) == before
    (done,) = run(dagster, [[step]], workshop, policy_of(changed.config, changed.home.root))
    assert done.outcome == "made"


def test_a_lock_taken_while_a_stage_works_is_no_broken_contract(changed):
    before = changed.live(), changed.registry.latest(EVENTS, "recipes")
    failed_before = len(failed_checks(changed))
    workshop, step, dagster = impatient(changed, 0.5)
    locks = []

    def lock_once(_):
        if not locks:
            locks.append(held(changed))

    with listening(lock_once):
        (done,) = run(dagster, [[step]], workshop, policy_of(changed.config, changed.home.root))
    locks[0].close()
    assert done.outcome == "failed"
    assert "could not be used for 0.5 s" in done.message
    assert (changed.live(), changed.registry.latest(EVENTS, "recipes")) == before
    assert len(failed_checks(changed)) == failed_before
    (done,) = run(dagster, [[step]], workshop, policy_of(changed.config, changed.home.root))
    assert done.outcome == "made"
    assert changed.latest(EVENTS, "recipes").manifest.params["behaviors"] == {"favourite": 4.0}


def test_a_lock_released_in_time_is_waited_for(changed):
    workshop, step, dagster = impatient(changed, 20)
    lock = held(changed)
    release = threading.Timer(1.5, lambda: lock.execute("ROLLBACK"))
    release.start()
    began = time.monotonic()
    (done,) = run(dagster, [[step]], workshop, policy_of(changed.config, changed.home.root))
    release.join()
    assert done.outcome == "made"
    assert time.monotonic() - began > 1.2
