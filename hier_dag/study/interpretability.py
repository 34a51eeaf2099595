"""Interpretability: what the decision paths say, whether seeds agree, and whether planted ones are found."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hier_dag.config import PlatformConfig
from hier_dag.digest import digest_file
from hier_dag.evaluate.interpret.truth import FOLDER
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.requests import encoder_request, newest_graph, study_request
from hier_dag.pipeline.stages import GRAPH
from hier_dag.pipeline.workshop import Built, Workshop
from hier_dag.progress import Step, tell
from hier_dag.registry import CheckRow, Registry
from hier_dag.study.cell import DEFAULT, Cell, for_every_seed
from hier_dag.study.study import Finished, Study, Summary
from hier_dag.study.trained import MEASURED

if TYPE_CHECKING:
    from hier_dag.graph.knowledge_graph import KnowledgeGraph
    from hier_dag.model.encoding import Encoding
    from hier_dag.train.progress import Progress


class Interpretability(Study):
    """One cell a seed: the default's decision paths, read. A cell whose encoder is there trains nothing."""

    name = "interpretability"
    what = "What do intents, exemplars and decision paths mean, and are they there at every seed?"
    pool = "gpu"

    def cells(self, config: PlatformConfig) -> tuple[Cell, ...]:
        """The declared encoder, a cell a seed."""
        return for_every_seed([Cell(DEFAULT)], config.studies.seeds)

    def request(self, config: PlatformConfig, registry: Registry, cell: Cell) -> Request:
        """From the newest graph, the encoder's parameters, and the planted truth where there is one."""
        params = {"cell": cell.label, "pretrain": _params(config, cell), "truth": _truth_digests(config)}
        parents = {"graph": newest_graph(config, registry)}
        return study_request(self.kind, cell.key, params, parents, [cell.seed])

    def build(
        self, config: PlatformConfig, workshop: Workshop, cell: Cell, request: Request, staged: Path, run: str
    ) -> Built:
        """Names, pictures, strengths, and recovery where the truth is known."""
        from hier_dag.graph.files import load_graph
        from hier_dag.study.interpretability_files import write_cell

        folder = workshop.open(GRAPH, request.parents["graph"]).path
        graph = load_graph(folder, config.source_names, config.target_names)
        began = time.perf_counter()
        encoding = _encoding(config, workshop, cell, request, graph, f"{self.kind}[{cell.key}]")
        seconds = {"pretrain_s": round(time.perf_counter() - began, 3)}
        written = write_cell(graph, folder, encoding, config.data_dir(), request, staged)
        users = written.summary["users"]
        # Without a user of some history there is nothing to interpret.
        return replace(written, checks=[CheckRow(MEASURED, users > 0, {"users": users, **seconds})])

    def summarise(self, config: PlatformConfig, finished: Sequence[Finished]) -> Summary:
        """Figures of every seed, how far seeds agree, and the pictures of the first."""
        from hier_dag.study.interpretability_summary import interpretability_summary

        return interpretability_summary(finished)


def _params(config: PlatformConfig, cell: Cell) -> dict[str, Any]:
    return {**asdict(config.stages.pretrain), "seed": cell.seed}


def _truth_digests(config: PlatformConfig) -> dict[str, str]:
    """SHA-256 of every table of the planted truth by name: another truth is another figure."""
    folder = config.data_dir() / FOLDER
    return {file.name: digest_file(file) for file in sorted(folder.glob("*.parquet"))}


def _encoding(
    config: PlatformConfig,
    workshop: Workshop,
    cell: Cell,
    request: Request,
    graph: KnowledgeGraph,
    title: str,
) -> Encoding:
    """The pipeline's own encoder where it has the cell's seed and graph, else one trained for the cell."""
    from hier_dag.train.encoding_files import load_encoding
    from hier_dag.train.params import PretrainParams
    from hier_dag.train.pretrain import pretrain

    if cell.seed == config.stages.pretrain.seed:
        wanted = encoder_request(config, workshop.registry)
        there = workshop.find(wanted) if wanted.parents == request.parents else None
        if there is not None:
            return load_encoding(there.path)

    def report(p: Progress) -> None:
        done = (p.epoch - 1) * p.steps + p.step
        tell(Step(title, f"pre-training, epoch {p.epoch}/{p.epochs}", done, p.epochs * p.steps))

    return pretrain(graph, PretrainParams(**request.params["pretrain"]), report).encoding
