"""The `hier` command."""

from __future__ import annotations

import os
import sys
from gc import freeze

import typer

from hier_dag.cli.alias import alias
from hier_dag.cli.audit import audit
from hier_dag.cli.check import check
from hier_dag.cli.copies import copies
from hier_dag.cli.decide import approve, waive
from hier_dag.cli.demo import demo
from hier_dag.cli.forget import forget
from hier_dag.cli.gc import gc
from hier_dag.cli.output import exit_code, print_error, print_json, print_whatever_it_holds
from hier_dag.cli.paths import paths
from hier_dag.cli.pin import pin, unpin
from hier_dag.cli.quarantine import quarantine
from hier_dag.cli.recommend import recommend
from hier_dag.cli.registry import registry
from hier_dag.cli.report import report
from hier_dag.cli.reproduce import reproduce
from hier_dag.cli.rollback import rollback
from hier_dag.cli.run import run
from hier_dag.cli.sample import sample
from hier_dag.cli.study import study
from hier_dag.cli.ui import ui
from hier_dag.cli.why import why
from hier_dag.errors import HierError

app = typer.Typer(
    name="hier",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Logs of many services in, pre-trained user and item embeddings out.",
)
for command in (
    *(demo, sample, check, run, report, recommend, why, paths),
    reproduce,
    *(rollback, alias, waive, approve, pin, unpin, gc),
    *(forget, study, ui),
):
    app.command()(command)
app.add_typer(quarantine)
app.add_typer(audit)
app.add_typer(copies)
app.add_typer(registry)


def main() -> None:
    """Runs `hier`. Exit codes: 0 done, 1 a contract or gate refused, 2 usage, 130 stopped."""
    # Several runs share a machine: DGL must not write a configuration file into the user's home.
    os.environ.setdefault("DGLBACKEND", "pytorch")
    # What was imported stays to the end: collections of garbage need not walk through it again and again.
    freeze()
    print_whatever_it_holds()
    try:
        app()
    except HierError as error:
        if "--json" in sys.argv:
            print_json({"error": error.as_dict()})
        else:
            print_error(error)
        sys.exit(exit_code(error))


if __name__ == "__main__":
    main()
