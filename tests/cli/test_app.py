"""The command line as a whole: it loads what it needs, and ends mistakes and interrupts as it says."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from hier_dag.cli.output import print_json

LARGE = ("numpy", "pyarrow", "pandas", "scipy", "torch", "ibis", "duckdb", "dagster", "faiss", "matplotlib")


@pytest.mark.parametrize(
    ("modules", "needed"),
    [
        ("hier_dag.cli.commands", set()),
        (
            "hier_dag.cli.commands, hier_dag.lineage.trace, hier_dag.lineage.impact, "
            "hier_dag.lineage.reference",
            set(),
        ),
        ("hier_dag.cli.commands, hier_dag.lineage.why, hier_dag.cli.why_view", {"numpy", "pyarrow"}),
        ("hier_dag.cli.commands, hier_dag.lineage.difference", {"numpy", "pyarrow"}),
        ("hier_dag.cli.commands, hier_dag.audit.card.card, hier_dag.audit.bundle", {"numpy", "pyarrow"}),
    ],
    ids=["start", "registry", "why", "diff", "bundle"],
)
def test_a_question_loads_no_large_library_that_it_does_not_need(modules, needed):
    code = f"import sys, {modules}\nprint(*sorted(set({LARGE}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == needed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("audit live --bogus", "No such option '--bogus'."),
        ("why grocery", "Missing argument 'ID'."),
        ("reproduce abcd --device tpu", "'tpu' is not one of"),
        ("nonsense", "No such command 'nonsense'."),
    ],
)
def test_a_mistaken_command_line_is_json_where_json_was_asked_for(hier, arguments, message):
    answer = hier(*arguments.split(), "--json")
    assert answer.code == hier(*arguments.split()).code == 2
    error = json.loads(answer.out)["error"]
    assert error["code"] == "usage"
    assert message in error["message"]
    assert error["fix"].endswith("--help")
    assert answer.err == ""


def test_help_and_what_is_answered_end_as_ever_beside_json(hier):
    assert hier("reproduce", "--help", "--json").code == 0
    assert hier("reproduce", "--classes", "--json").code == 0


class Interrupting:
    """What Ctrl-C does while a module is loaded."""

    def __init__(self, name):
        self.name = name

    def find_spec(self, name, *_):
        if name == self.name:
            raise KeyboardInterrupt


def test_an_interrupt_while_commands_are_loaded_ends_with_130(hier, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("hier_dag.cli.commands")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Interrupting("hier_dag.cli.commands"), *sys.meta_path])
    assert hier("why", "grocery", "u") == (130, "", "")


def test_an_interrupt_of_a_question_ends_with_130_with_json_too(hier, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("hier_dag.cli.places.state_of", interrupted)
    for options in ((), ("--json",)):
        assert hier("audit", "live", *options).code == 130


def test_instants_are_iso_8601_in_json(capsys):
    print_json({"at": datetime(2026, 11, 28, 10, 33, 7, tzinfo=UTC)})
    assert json.loads(capsys.readouterr().out) == {"at": "2026-11-28T10:33:07+00:00"}
