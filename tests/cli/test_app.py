"""The command line starts with what it needs: what is large is loaded by the commands that use it."""

import subprocess
import sys

import pytest

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
