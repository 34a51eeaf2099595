"""`hier demo`: the sample platform, from nothing to published sets and a table of results."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from pathlib import Path

import typer
from rich.text import Text

from hier_dag.cli.output import REFUSED, out
from hier_dag.cli.stopping import end_if_cancelled, resumable


def demo() -> None:
    """Generate the sample platform, run everything, print the results and where to look next."""
    from hier_dag.cli.report import collect
    from hier_dag.cli.report_table import figures_table
    from hier_dag.cli.run import run_pipeline
    from hier_dag.config import check_config, load_config
    from hier_dag.home import SAMPLE_DOMAINS, home_of
    from hier_dag.publish.reader import open_set
    from hier_dag.sample.generate import generate
    from hier_dag.sample.params import SampleParams

    began = time.perf_counter()
    config, issues = check_config(SAMPLE_DOMAINS)
    if config is None or issues:
        folder = load_config(SAMPLE_DOMAINS).data_dir()
        out.print(f"Writing the sample platform to {folder} …", highlight=False, markup=False)
        summary = generate(folder, SampleParams())
        out.print(
            f"  {summary.users:,} users, {summary.items:,} items, {sum(summary.events.values()):,} events",
            highlight=False,
        )
    with resumable():
        results, _ = run_pipeline(SAMPLE_DOMAINS)
    end_if_cancelled(results)
    if any(d.outcome in ("failed", "blocked") for d in results):
        raise typer.Exit(REFUSED)
    config = load_config(SAMPLE_DOMAINS)
    home = home_of(config.platform)
    records, missing = collect(config, home)
    out.print(figures_table(records, missing))
    domain = config.target_names[0]
    user = open_set(home.root, domain).some_users(1, "trained")[0]
    out.print(f"\nDone in {time.perf_counter() - began:.0f} s. Where to look next:", highlight=False)
    # The two commands of the README make an environment without activating it.
    here = "" if shutil.which("hier") else f"{os.path.relpath(Path(sys.executable).parent)}/"
    about = shlex.join([domain, user])
    for command, text in (
        (f"{here}hier recommend {about}", "what a published set answers"),
        (f"{here}hier why {about}", "one vector, back to the raw rows"),
        (f"{here}hier report", "this table again; --json for every figure"),
        ("make ui", "the DAG, its checks and report cards in Dagster"),
        ("examples/yelp_city/domains.yaml", "a declaration to copy for your own logs; see README.md"),
    ):
        out.print(Text.assemble("  ", (f"{command:<46}", "bold"), f" {text}"), highlight=False)
