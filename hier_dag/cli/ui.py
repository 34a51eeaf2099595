"""`hier ui`: the Dagster UI on the state that the commands use."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
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
    home = home_of(config.platform)
    os.environ |= absolute_places(os.environ, Path.cwd())
    os.environ["HIER_DOMAINS"] = str(path)
    os.environ["HIER_HOME"] = str(state_root())
    os.environ["DAGSTER_HOME"] = str(home.dagster())
    workspace = Path(__file__).resolve().parent.parent.parent / "workspace.yaml"
    where = f"http://localhost:{port}"
    out.print(f"Platform [bold]{config.platform}[/] on {where} (Ctrl-C ends it)", highlight=False)
    dg = Path(sys.executable).parent / "dg"
    # Dagster takes the workspace's `working_directory: .` from here, not from the workspace file.
    os.chdir(workspace.parent)
    os.execv(dg, [str(dg), "dev", "-w", str(workspace), "-p", str(port)])


def absolute_places(environment: Mapping[str, str], here: Path) -> dict[str, str]:
    """HIER_DATA and a SQLite HIER_REGISTRY as the folder `here` understands them, for use in any other."""
    from sqlalchemy.engine import make_url

    from hier_dag.config.database_url import sqlite_database, url_problem

    places = {}
    if data := environment.get("HIER_DATA"):
        places["HIER_DATA"] = str(here / Path(data).expanduser())
    registry = environment.get("HIER_REGISTRY")
    if registry and url_problem(registry) is None and (file := sqlite_database(registry)):
        absolute = make_url(registry).set(database=str(here / file))
        places["HIER_REGISTRY"] = absolute.render_as_string(hide_password=False)
    return places
