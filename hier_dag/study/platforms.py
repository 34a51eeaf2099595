"""Platforms: the newest report of several platforms side by side."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hier_dag.config import PlatformConfig, load_config
from hier_dag.errors import ContractError
from hier_dag.home import Home, state_root
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.requests import study_request
from hier_dag.pipeline.stages import MODEL, STUDY
from hier_dag.pipeline.workshop import Built, Workshop
from hier_dag.registry import CheckRow, Registry
from hier_dag.store import Artifact, ArtifactStore
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
        # A manifest sorts its keys, and rows follow the order of the declaration.
        params = {"platform": declared.platform, "reports": reports, "order": list(reports)}
        return study_request(self.kind, cell.key, params, {}, [])

    def build(
        self, config: PlatformConfig, workshop: Workshop, cell: Cell, request: Request, staged: Path, run: str
    ) -> Built:
        """Copies the reports' records under the platform's label."""
        store = workshop.store
        if cell.label != config.platform:
            store = ArtifactStore(Home(state_root() / str(request.params["platform"])).store)
        return write_cell(request, [store.open(MODEL, d) for d in reports_of(request.params)], staged)

    def summarise(self, config: PlatformConfig, finished: Sequence[Finished]) -> Summary:
        """HIER and the best baseline of every platform and setting."""
        from hier_dag.study.platforms_summary import platforms_summary

        return platforms_summary(finished)


def reports_of(params: Mapping[str, Any]) -> list[str]:
    """Digests of the models whose reports a cell holds, in its order."""
    return [params["reports"][domain] for domain in params.get("order", params["reports"])]


def write_cell(request: Request, models: Sequence[Artifact], staged: Path) -> Built:
    """Writes the reports of a platform's models under its label.

    Args:
        request: for the cell, which is the label.
        models: in the order of `reports_of`.
        staged: an empty folder.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    study, label = request.kind.removeprefix(f"{STUDY}/"), request.partition
    records = pa.concat_tables(pq.read_table(model.file("report.parquet")) for model in models)
    labels = pa.array([label] * records.num_rows, pa.string())
    records = records.add_column(0, pa.field("platform", pa.string(), nullable=False), labels)
    pq.write_table(records, staged / RECORDS, compression="zstd")
    facts = {"study": study, "cell": label, **request.params}
    (staged / CELL).write_text(json.dumps(facts, indent=1, sort_keys=True), encoding="utf-8")
    counts = {"targets": len(models), "judged": len(records["domain"].unique())}
    return Built(
        tables=columns(staged),
        summary=counts,
        checks=[CheckRow("measured", counts["judged"] > 0, counts)],
        remedies={"measured": "no target of this platform has a test interaction: leave it out"},
    )


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
