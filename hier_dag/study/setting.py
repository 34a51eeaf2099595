"""What a cell amounts to on a platform: full parameters, whatever the cell is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from hier_dag.config import PlatformConfig
from hier_dag.errors import ConfigError
from hier_dag.pipeline.request import plain
from hier_dag.study.cell import Cell
from hier_dag.train.params import PretrainParams
from hier_dag.transfer.head_params import HeadParams
from hier_dag.transfer.params import TransferParams

Params = TypeVar("Params", PretrainParams, TransferParams, HeadParams)


@dataclass(frozen=True)
class Setting:
    """Everything that decides a cell's result besides the graph. Equal settings are one piece of work.

    Attributes:
        pretrain: with the cell's seed.
        transfer: with the cell's seed alone.
        links: share of item-entity links and of triples kept.
        sources: source domains left, in declared order.
        targets: domains transferred to.
        shots: settings scored; "0" is zero-shot.
        seed: of everything drawn.
    """

    pretrain: PretrainParams
    transfer: TransferParams
    links: float
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    shots: tuple[str, ...]
    seed: int

    def params(self) -> dict[str, Any]:
        """As JSON, for requests."""
        # What `shots` and `publish_shots` say is replaced by the study's own settings.
        transfer = {k: v for k, v in asdict(self.transfer).items() if k not in ("shots", "publish_shots")}
        return {
            "pretrain": plain(asdict(self.pretrain)),
            "transfer": plain(transfer),
            "graph": {"links": self.links, "sources": list(self.sources)},
            "targets": list(self.targets),
            "shots": list(self.shots),
        }


def recorded_setting(params: Mapping[str, Any], seed: int) -> Setting:
    """The setting that `Setting.params` was taken of, as a manifest holds it."""
    transfer = TransferParams.from_json({**asdict(TransferParams()), **params["transfer"]})
    return Setting(
        pretrain=PretrainParams(**params["pretrain"]),
        transfer=transfer,
        links=float(params["graph"]["links"]),
        sources=tuple(params["graph"]["sources"]),
        targets=tuple(params["targets"]),
        shots=tuple(params["shots"]),
        seed=seed,
    )


def setting_of(config: PlatformConfig, cell: Cell) -> Setting:
    """Applies a cell's overrides to a platform's declaration.

    Raises:
        ConfigError: naming the cell and the parameter that does not exist or cannot have that value.
    """
    change = cell.overrides
    sources = config.source_names
    if change.sources is not None:
        sources = tuple(s for s in sources if s in change.sources)
    if not sources or not 0 < change.links <= 1:
        raise ConfigError(
            f"cell {cell.key} leaves {len(sources)} source domains and {change.links:.0%} of the links.",
            fix="leave at least one declared source and some links",
        )
    head = _changed(config.stages.transfer.head, change.head, cell)
    return Setting(
        pretrain=_changed(config.stages.pretrain, {**change.pretrain, "seed": cell.seed}, cell),
        transfer=_changed(
            config.stages.transfer, {**change.transfer, "head": head, "seeds": (cell.seed,)}, cell
        ),
        links=float(change.links),
        sources=sources,
        targets=config.studies.targets or config.target_names,
        shots=config.studies.shots,
        seed=cell.seed,
    )


def _changed(params: Params, overrides: Mapping[str, Any], cell: Cell) -> Params:
    try:
        return replace(params, **overrides)
    except (TypeError, ValueError) as e:
        raise ConfigError(
            f"cell {cell.key}: {e}.", fix="give the cell's overrides names and values that `stages` allows"
        ) from e
