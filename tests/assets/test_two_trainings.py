"""A run that meets another process at the same pre-training waits for it and succeeds in the end."""

import dataclasses

import dagster as dg

from hier_dag.config.trainer import TrainerParams
from hier_dag.pipeline.requests import encoder_request, training_key
from hier_dag.progress import listening
from hier_dag.train.lock import held, removed
from resources import Trainer


def test_it_waits_and_is_retried_once_the_other_is_done(own, pretrain_again):
    stages = own.config.stages
    params = dataclasses.replace(stages.pretrain, seed=stages.pretrain.seed + 1)
    stages = stages.model_copy(update={"pretrain": params})
    request = encoder_request(own.config.model_copy(update={"stages": stages}), own.registry)
    folder = own.home.checkpoints / training_key(request)
    other, told = held(folder), []

    def listen(step):
        told.append(step.text)
        if len(told) == 2:  # what a run does once its encoder is committed
            other.close()
            removed(folder)

    trainer = Trainer(checkpoints=str(own.home.checkpoints), **TrainerParams().model_dump())
    with listening(listen):
        result = pretrain_again(trainer=trainer, seed=params.seed)
    assert result.success
    assert told[:2] == ["waits for another process that trains the same encoder"] * 2
    (retry,) = [e for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_UP_FOR_RETRY]
    said = retry.event_specific_data.error.cause.message
    assert "[busy] another process has trained the same encoder" in said
    assert not list(own.home.checkpoints.iterdir())
