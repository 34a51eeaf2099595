"""Scaling: share of the knowledge graph's links, and number of source domains, against quality and time."""

from __future__ import annotations

from collections.abc import Sequence

from hier_dag.config import PlatformConfig
from hier_dag.study.cell import DEFAULT, Cell, Overrides, for_every_seed
from hier_dag.study.study import Finished, Summary
from hier_dag.study.trained import TrainedStudy

_WORDS = {"links": "KG links kept, %", "sources": "source domains"}


class Scaling(TrainedStudy):
    """What more of the platform buys."""

    name = "scaling"
    what = "What do more links of the knowledge graph and more source domains buy, and what do they cost?"

    def cells(self, config: PlatformConfig) -> tuple[Cell, ...]:
        """The whole platform, then shares of its links, then its first n sources."""
        sweep, names = config.studies.scaling, config.source_names
        cells = [Cell(DEFAULT)]
        for share in sorted(set(sweep.links)):
            percent = f"{100 * share:g}"
            label = f"links_{percent.replace('.', '_')}"
            cells.append(Cell(label, overrides=Overrides(links=share), axis="links", at=float(percent)))
        for n in sorted(set(sweep.sources if sweep.sources is not None else range(1, len(names)))):
            if n < len(names):
                change = Overrides(sources=names[:n])
                cells.append(Cell(f"sources_{n}", overrides=change, axis="sources", at=n))
        return for_every_seed(cells, config.studies.seeds)

    def summarise(self, config: PlatformConfig, finished: Sequence[Finished]) -> Summary:
        """Quality and seconds of every part against the whole."""
        from hier_dag.study.sweep import sweep_summary

        declared = {"links": 100.0, "sources": float(len(config.source_names))}
        note = (
            f"Source domains in declared order: {', '.join(config.source_names)}. Change: against the whole "
            "platform, paired over users, with its 95 % bootstrap interval; *: the interval leaves 0 out."
        )
        resamples = config.stages.transfer.bootstrap
        return sweep_summary(finished, declared, _WORDS, resamples, note, seconds=True)
