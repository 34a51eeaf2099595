"""Materialises pretrain/encoder of the finished platform once more, declared otherwise."""

import dataclasses

import dagster as dg
import pytest

from assets.pretrain_encoder import pretrain_encoder


@pytest.fixture
def pretrain_again(own):
    """Pre-trains with other parameters, gates or trainer, so that no encoder is there yet; gives the run."""

    def materialize(*, gates=None, trainer=None, **params):
        stages = own.config.stages
        update = {"pretrain": dataclasses.replace(stages.pretrain, **params), "gates": gates or stages.gates}
        config = own.config.model_copy(update={"stages": stages.model_copy(update=update)})
        resources = dict(own.definitions().resources)
        if trainer is not None:
            resources["trainer"] = trainer
        wanted = pretrain_encoder(config).required_resource_keys - {"io_manager"}
        return dg.materialize(
            [pretrain_encoder(config)],
            resources={name: resources[name] for name in wanted},
            instance=own.instance(),
            raise_on_error=False,
        )

    return materialize
