"""Where a training is saved and shown is the trainer's business, and decides nothing about the encoder."""

import yaml

from hier_dag.config.trainer import TrainerParams
from hier_dag.pipeline.requests import encoder_request


def declared(platform, trainer):
    whole = yaml.safe_load(platform.domains.read_text(encoding="utf-8"))
    platform.domains.write_text(yaml.safe_dump({**whole, "trainer": trainer}), encoding="utf-8")
    return platform.definitions().resources["trainer"]


def test_curves_go_beside_the_checkpoints_where_they_are_declared(fresh):
    assert declared(fresh, {}).saving("a key").curves is None
    saving = declared(fresh, {"tensorboard": True}).saving("a key")
    assert saving.folder == fresh.home.checkpoints / "a key"
    assert saving.curves == fresh.home.root / "tensorboard" / "a key"


def test_curves_ask_for_no_other_encoder(platform):
    shown = platform.config.model_copy(update={"trainer": TrainerParams(tensorboard=True)})
    registry = platform.registry
    assert encoder_request(shown, registry).key == encoder_request(platform.config, registry).key
