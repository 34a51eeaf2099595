"""Studies whose cells pre-train and transfer. Equal cells of several studies are computed once.

The work is an artifact of its own, `study/result`, asked for by parameters alone; a study's cell holds its
tables under the study's and the cell's name.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hier_dag.config import PlatformConfig
from hier_dag.digest import digest_of
from hier_dag.pipeline.recorded import domains_of
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.requests import newest_graph, study_request
from hier_dag.pipeline.stages import GRAPH, RESULT, STUDY
from hier_dag.pipeline.workshop import Built, Workshop
from hier_dag.progress import Step, tell
from hier_dag.registry import CheckRow, Registry
from hier_dag.store import Artifact
from hier_dag.study.cell import Cell
from hier_dag.study.files import CELL, RECORDS, USERS, columns, save_named
from hier_dag.study.setting import Setting, setting_of
from hier_dag.study.study import Study

MEASURED = "measured"
"""Check that every target with test interactions has figures; its facts hold the seconds."""


class TrainedStudy(Study):
    """A study that says which cells there are and how they compare; making one is the same for all."""

    pool = "gpu"

    def request(self, config: PlatformConfig, registry: Registry, cell: Cell) -> Request:
        """From the newest graph and the cell's full parameters."""
        named = {"cell": cell.label, "seed": cell.seed, "axis": cell.axis, "at": cell.at}
        params = {**named, **setting_of(config, cell).params()}
        parents = {"graph": newest_graph(config, registry)}
        return study_request(self.kind, cell.key, params, parents, [cell.seed])

    def build(
        self, config: PlatformConfig, workshop: Workshop, cell: Cell, request: Request, staged: Path, run: str
    ) -> Built:
        """Takes the result that an equal cell of any study has made, else makes it."""
        setting = setting_of(config, cell)
        params = setting.params()
        wanted = study_request(RESULT, digest_of(params)[:16], params, request.parents, request.seeds)
        compute = partial(compute_result, workshop, setting, f"{self.kind}[{cell.key}]")
        result = workshop.make(wanted, compute, run_id=run)
        written = write_cell(request, result.artifact, staged)
        measured = next(c for c in reversed(result.checks) if c.name == MEASURED)
        # Whether the work was there already is no part of the cell, which is the same one either way.
        measured = replace(measured, facts={**measured.facts, "shared": result.reused})
        return replace(written, checks=[measured])


def write_cell(request: Request, result: Artifact, staged: Path) -> Built:
    """Writes a cell from the work that it shares with equal cells of other studies.

    Args:
        request: as a trained study gives it.
        result: the work, a `study/result`.
        staged: an empty folder.
    """
    params = request.params
    study = request.kind.removeprefix(f"{STUDY}/")
    named = {"study": study, "cell": params["cell"], "seed": params["seed"]}
    for name in (RECORDS, USERS):
        save_named(result.file(name), staged / name, named)
    facts = result.json(CELL)
    swept = {"axis": params["axis"], "at": params["at"]}
    cell_facts = {**named, **swept, "result": result.digest, **facts}
    (staged / CELL).write_text(json.dumps(cell_facts, indent=1, sort_keys=True), encoding="utf-8")
    return Built(tables=columns(staged), summary=facts)


def compute_result(workshop: Workshop, setting: Setting, title: str, request: Request, staged: Path) -> Built:
    """Pre-trains and transfers as a setting says, and writes its figures: a `study/result`.

    Args:
        workshop: where the graph is opened.
        setting: the cell's.
        title: names the cell in progress.
        request: for the result.
        staged: an empty folder.
    """
    import pyarrow.parquet as pq

    from hier_dag.graph.files import load_graph
    from hier_dag.graph.knowledge_graph import TEST
    from hier_dag.study.run_cell import run_cell

    made = workshop.open(GRAPH, request.parents["graph"])
    graph = load_graph(made.path, *domains_of(made.manifest))
    result = run_cell(
        graph,
        request.parents["graph"],
        setting,
        lambda text, done: tell(Step(title, text, round(100 * done), 100)),
    )
    pq.write_table(result.records, staged / RECORDS, compression="zstd")
    pq.write_table(result.users, staged / USERS, compression="zstd")
    (staged / CELL).write_text(json.dumps(result.facts, indent=1, sort_keys=True), encoding="utf-8")
    judged = [d for d in setting.targets if (graph.interactions[d].split == TEST).any()]
    lacking = sorted(set(judged) - set(result.records["domain"].unique().to_pylist()))
    # A time differs from run to run, so it is kept beside the artifact, not in it.
    facts: dict[str, Any] = {"targets": len(judged), "lacking": lacking, **result.seconds}
    return Built(
        tables=columns(staged), summary=result.facts, checks=[CheckRow(MEASURED, not lacking, facts)]
    )
