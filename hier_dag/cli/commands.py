"""Every command of `hier`, and how one is called."""

from __future__ import annotations

import sys

import typer
from click.exceptions import ClickException

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
from hier_dag.errors import HierError, UsageError

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


def call() -> int:
    """Carries out what the command line says; its exit code."""
    print_whatever_it_holds()
    as_json = "--json" in sys.argv
    try:
        # What a program asks is answered in JSON, a mistaken command line too; people are shown the usage.
        return app(standalone_mode=not as_json) or 0
    except ClickException as mistake:
        print_json({"error": _misused(mistake).as_dict()})
        return mistake.exit_code
    except HierError as error:
        if as_json:
            print_json({"error": error.as_dict()})
        else:
            print_error(error)
        return exit_code(error)


def _misused(mistake: ClickException) -> UsageError:
    context = getattr(mistake, "ctx", None)
    command = "hier" if context is None else context.command_path
    return UsageError(mistake.format_message(), fix=f"see: {command} --help")
