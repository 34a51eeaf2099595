"""`hier ui`: the Dagster UI on the state that the commands use."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from hier_dag.cli.output import DomainsFile, out


def ui(
    port: Annotated[int, typer.Option(help="Port on localhost.")] = 3000,
    domains: DomainsFile = None,
) -> None:
    """Open the Dagster UI: the same runs, assets and checks that `hier run` shows."""
    from hier_dag.config import load_config
    from hier_dag.home import home_of, last_domains_file, state_root

    path = Path(domains).resolve() if domains else last_domains_file()
    config = load_config(path)
    os.environ["HIER_DOMAINS"] = str(path)
    os.environ["HIER_HOME"] = str(state_root())
    os.environ["DAGSTER_HOME"] = str(home_of(config.platform).dagster())
    workspace = Path(__file__).resolve().parent.parent.parent / "workspace.yaml"
    where = f"http://localhost:{port}"
    out.print(f"Platform [bold]{config.platform}[/] on {where} (Ctrl-C ends it)", highlight=False)
    dg = Path(sys.executable).parent / "dg"
    os.chdir(workspace.parent)
    os.execv(dg, [str(dg), "dev", "-w", str(workspace), "-p", str(port)])
