"""Questions to a state that may not be written, such as a backup: answered, and nothing is changed."""

import json
import os
import shutil
import sqlite3
from functools import partial

import pytest

from hier_dag.digest import digest_file
from hier_dag.errors import RegistryError
from hier_dag.home import working_folder
from hier_dag.pipeline.stages import EVENTS, GRAPH
from hier_dag.registry import Registry
from tests.databases import of_sqlite
from tests.denied import read_only

pytestmark = of_sqlite

QUESTIONS = (
    "audit live",
    "audit live grocery --history",
    "audit trace grocery",
    "audit diff grocery grocery",
    "audit impact logs/grocery.jsonl",
    "audit verify --fast",
    "audit card grocery",
    "audit reconcile",
    "audit bundle grocery --out {out}/bundle.zip",
    "audit lineage-report --fast --out {out}",
    "copies check grocery",
    "gc",
    "report",
    "quarantine list",
    "forget --status",
    "paths",
)


@pytest.fixture
def backup(own, monkeypatch):
    """A platform whose state may only be read, by root too."""
    user = os.access
    monkeypatch.setattr(os, "access", partial(user, effective_ids=True))
    before = everything(own.state)
    with read_only(own.state):
        yield own
    assert everything(own.state) == before


def everything(root):
    return {str(p): (p.lstat().st_size, p.lstat().st_mtime_ns) for p in (root, *root.rglob("*"))}


def asked(hier, platform, question, out):
    words = question.format(out=out).split()
    return hier(*words, "--domains", platform.domains, "--json")


def test_every_question_is_answered_and_nothing_is_written(backup, hier, tmp_path):
    for question in QUESTIONS:
        answer = asked(hier, backup, question, tmp_path)
        assert (answer.code, answer.err) == (0, ""), (question, answer)
        assert json.loads(answer.out), question


def test_what_writes_says_early_that_it_cannot(backup, hier):
    for command in (
        ["pin", "grocery", "--why", "w"],
        ["gc", "--delete"],
        ["audit", "reconcile", "--lost", "--why", "w"],
        ["copies", "check", "--repair"],
        ["alias", "grocery", "canary", "--why", "w"],
    ):
        answer = hier(*command, "--domains", backup.domains)
        assert answer.code == 2, command
        assert "HIER_HOME: cannot be written" in answer.err, command


def test_a_report_that_would_go_into_the_state_says_where_it_can_go(backup, hier):
    answer = hier("audit", "lineage-report", "--fast", "--domains", backup.domains)
    assert answer.code == 2
    assert "--out DIR" in answer.err


def test_an_artifact_is_built_again_elsewhere_and_no_certificate_is_recorded(backup, hier):
    digest = backup.latest(EVENTS, "grocery").digest
    answer = hier("reproduce", digest, "--anyway", "--domains", backup.domains, "--json")
    assert answer.code == 0, answer
    assert json.loads(answer.out)["digest"] == digest
    assert "no certificate is on record" in answer.err


def test_a_folder_to_work_in_is_the_states_own_where_it_may_be_written(own, monkeypatch):
    with working_folder(own.home) as folder:
        assert folder == own.home.scratch
    monkeypatch.setattr(os, "access", lambda *_: False)
    with working_folder(own.home) as folder:
        assert folder.is_dir()
        assert not folder.is_relative_to(own.state)
    assert not folder.exists()


def test_events_in_a_log_beside_the_registry_are_read_or_their_lack_is_told(own, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", partial(os.access, effective_ids=True))
    folder = tmp_path / "backup"
    folder.mkdir()
    shutil.copyfile(own.registry_file, folder / "registry.db")
    writer = sqlite3.connect(own.registry_file)
    writer.execute("PRAGMA wal_autocheckpoint=0")
    head = Registry(f"sqlite:///{own.registry_file}").decide("grocery", "pin", "d" * 64, why="w").event
    for end in ("", "-wal", "-shm"):
        shutil.copyfile(f"{own.registry_file}{end}", folder / f"registry.db{end}")
    writer.close()
    assert (folder / "registry.db-wal").stat().st_size > 0
    with read_only(folder):
        assert Registry(f"sqlite:///{folder}/registry.db").head().seq == head
    (folder / "registry.db-shm").unlink()
    with read_only(folder), pytest.raises(RegistryError, match="log that was not closed") as told:
        Registry(f"sqlite:///{folder}/registry.db")
    assert told.value.file.endswith("registry.db-wal")


def test_a_file_of_the_graph_is_the_same_afterwards(backup, hier):
    graph = backup.latest(GRAPH)
    digests = {f.path: digest_file(graph.path / f.path) for f in graph.manifest.files}
    assert hier("audit", "verify", "--domains", backup.domains, "--json").code == 0
    assert {f.path: f.sha256 for f in graph.manifest.files} == digests
