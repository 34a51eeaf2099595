"""Where training runs: `trainer`. Nothing here decides what comes out, so that no request holds it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_STRICT = ConfigDict(extra="forbid", frozen=True)


class PodParams(BaseModel):
    """The pod that a worker runs in."""

    model_config = _STRICT
    image: str = Field(min_length=1, description="with hier_dag, torch and dgl")
    volume_claim: str = Field(min_length=1, description="persistent volume claim that holds HIER_HOME")
    mount: str = Field(pattern="^/", description="where it is mounted, here and in the pod alike")
    namespace: str | None = Field(None, description="default: the one that Dagster runs in")
    service_account: str | None = None
    cpu: str | None = Field(None, description='such as "4" or "500m"')
    memory: str | None = Field(None, description='such as "16Gi"')
    gpus: int = Field(0, ge=0, description="of nvidia.com/gpu")
    node_selector: dict[str, str] = {}


class TrainerParams(BaseModel):
    """How pre-training and transfer are run."""

    model_config = _STRICT
    mode: Literal["subprocess", "inline", "torchrun", "k8s"] = Field(
        "subprocess",
        description="in a worker process of its own, in the step's process, pre-training in several ranks, "
        "or in a pod",
    )
    processes: int = Field(1, ge=1, description="ranks that pre-train together, under torchrun and k8s")
    checkpoint_seconds: float = Field(
        60.0, ge=0, allow_inf_nan=False, description="between checkpoints of pre-training; 0: at every step"
    )
    keep_checkpoints: int = Field(
        2, ge=1, description="newest checkpoints that stay until the encoder is committed, the best besides"
    )
    keep_unfinished_days: float = Field(
        14.0, gt=0, allow_inf_nan=False, description="that checkpoints stay of a training that was given up"
    )
    shard_tables: bool = Field(
        False,
        description="whether ranks share the rows of the tables, so that larger ones than a device holds can "
        "be trained, on samples",
    )
    tensorboard: bool = Field(
        False, description="whether pre-training writes its curves for TensorBoard (extra `tensorboard`)"
    )
    pod: PodParams | None = Field(None, description="of mode k8s")

    @model_validator(mode="after")
    def _whole(self) -> TrainerParams:
        if (self.mode == "k8s") != (self.pod is not None):
            raise ValueError("`pod` says where a worker of `mode: k8s` runs: declare both or neither")
        if self.processes > 1 and self.mode not in ("torchrun", "k8s"):
            raise ValueError(f"`processes` above 1 needs `mode: torchrun` or `k8s`, not {self.mode}")
        if self.shard_tables and self.processes == 1:
            raise ValueError(
                "`shard_tables` shares tables among `processes`: declare more than one, or leave it out"
            )
        return self
