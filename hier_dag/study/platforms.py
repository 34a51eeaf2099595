"""Platforms: the newest report of several platforms side by side."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hier_dag.config import PlatformConfig, load_config
from hier_dag.errors import ContractError
from hier_dag.home import Home, state_root
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.requests import study_request
from hier_dag.pipeline.stages import MODEL
from hier_dag.pipeline.workshop import Built, Workshop
from hier_dag.registry import CheckRow, Registry
from hier_dag.store import ArtifactStore
from hier_dag.study.cell import Cell
from hier_dag.study.files import CELL, RECORDS, columns
from hier_dag.study.study import Finished, Study, Summary


@dataclass(frozen=True)
class PlatformCell(Cell):
    """A platform; nothing is drawn, so its key is its label."""

    @property
    def key(self) -> str:
        """Name of its Dagster partition."""
        return self.label


class Platforms(Study):
    """One cell a platform: this one, and those that `studies.platforms` declares. Nothing is trained."""

    name = "platforms"
    what = "How does the same default do on every platform, next to each platform's best baseline?"
    above = MODEL
    needs = ()

    def cells(self, config: PlatformConfig) -> tuple[Cell, ...]:
        """This platform, then every declared one."""
        return tuple(PlatformCell(label) for label in (config.platform, *self._others(config)))

    def _others(self, config: PlatformConfig) -> dict[str, Path]:
        files = config.studies.platforms.items()
        return {k: config.data_dir() / os.path.expanduser(f) for k, f in files if k != config.platform}

    def request(self, config: PlatformConfig, registry: Registry, cell: Cell) -> Request:
        """From the newest model of every target; a target without one is left out."""
        other = self._others(config).get(cell.label)
        declared = load_config(other) if other else config
        reports = _newest(declared, None if other else registry)
        params = {"platform": declared.platform, "reports": reports}
        return study_request(self.kind, cell.key, params, {}, [])

    def build(
        self, config: PlatformConfig, workshop: Workshop, cell: Cell, request: Request, staged: Path, run: str
    ) -> Built:
        """Copies the reports' records under the platform's label."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        store = workshop.store
        if cell.label != config.platform:
            store = ArtifactStore(Home(state_root() / str(request.params["platform"])).store)
        reports = request.params["reports"]
        tables = [pq.read_table(store.open(MODEL, d).file("report.parquet")) for d in reports.values()]
        records = pa.concat_tables(tables)
        label = pa.array([cell.label] * records.num_rows, pa.string())
        records = records.add_column(0, pa.field("platform", pa.string(), nullable=False), label)
        pq.write_table(records, staged / RECORDS, compression="zstd")
        facts = {"study": self.name, "cell": cell.label, **request.params}
        (staged / CELL).write_text(json.dumps(facts, indent=1, sort_keys=True), encoding="utf-8")
        judged = len(records["domain"].unique())
        return Built(
            tables=columns(staged),
            summary={"targets": len(reports), "judged": judged},
            checks=[CheckRow("measured", judged > 0, {"targets": len(reports), "judged": judged})],
            remedies={"measured": "no target of this platform has a test interaction: leave it out"},
        )

    def summarise(self, config: PlatformConfig, finished: Sequence[Finished]) -> Summary:
        """HIER and the best baseline of every platform and setting."""
        from hier_dag.study.platforms_summary import platforms_summary

        return platforms_summary(finished)


def _newest(config: PlatformConfig, registry: Registry | None) -> dict[str, str]:
    """Digest of every target's newest model."""
    if registry is None:
        home = Home(state_root() / config.platform)
        if "HIER_REGISTRY" not in os.environ and not (home.root / "registry.db").is_file():
            raise _no_report(config)
        registry = Registry(home.registry_url, platform=config.platform)
    found = {domain: registry.latest(MODEL, domain) for domain in config.target_names}
    reports = {domain: digest for domain, digest in found.items() if digest is not None}
    if not reports:
        raise _no_report(config)
    return reports


def _no_report(config: PlatformConfig) -> ContractError:
    return ContractError(
        f"platform {config.platform} has no report yet.", fix="run its domains.yaml first: hier run FILE"
    )
