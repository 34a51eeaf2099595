"""Which cells are done, what they say together, and the files that show it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hier_dag.config import PlatformConfig
from hier_dag.errors import HierError
from hier_dag.pipeline.workshop import Workshop
from hier_dag.store import Artifact
from hier_dag.study.cell import Cell
from hier_dag.study.study import Finished, Study, Summary
from hier_dag.study.trained import MEASURED


def done_cell(study: Study, config: PlatformConfig, workshop: Workshop, cell: Cell) -> Artifact | None:
    """The artifact that answers what a cell would be asked for now; None where anything is missing."""
    try:
        return workshop.find(study.request(config, workshop.registry, cell))
    except HierError:
        return None


def finished_cells(study: Study, config: PlatformConfig, workshop: Workshop) -> list[Finished]:
    """The study's cells that are done, in its order."""
    found = []
    for cell in study.cells(config):
        artifact = done_cell(study, config, workshop, cell)
        if artifact is not None:
            found.append(Finished(cell, artifact, _seconds(workshop, artifact)))
    return found


def _seconds(workshop: Workshop, artifact: Artifact) -> dict[str, float]:
    for check in reversed(workshop.registry.checks(artifact.digest)):
        if check.name == MEASURED:
            return {k: float(v) for k, v in check.facts.items() if k.endswith("_s")}
    return {}


def summary_of(study: Study, config: PlatformConfig, finished: Sequence[Finished]) -> Summary | None:
    """What the cells say together; None while those that others are compared with are not done."""
    labels = {f.cell.label for f in finished}
    if not labels or not labels.issuperset(study.needs):
        return None
    return study.summarise(config, finished)


def markdown(study: Study, summary: Summary) -> str:
    """The short table with its question and how to read it."""
    lines = [f"### {study.name}", "", study.what, "", _row(summary.head), _row(["---"] * len(summary.head))]
    lines += [_row(row) for row in summary.rows]
    return "\n".join([*lines, "", summary.note, ""])


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |"


def write_summary(study: Study, summary: Summary, folder: Path) -> dict[str, Path]:
    """Writes picture, Markdown and the tidy table into a folder; gives the paths by kind."""
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    paths = {kind: folder / f"{study.name}.{kind}" for kind in ("png", "md", "parquet")}
    paths["png"].write_bytes(summary.png)
    paths["md"].write_text(markdown(study, summary), encoding="utf-8")
    pq.write_table(summary.table, paths["parquet"], compression="zstd")
    for name, picture in summary.more.items():
        paths[name] = folder / f"{study.name}_{name}.png"
        paths[name].write_bytes(picture)
    return paths
