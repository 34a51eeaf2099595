"""One epoch of RecBole's LightGCN, in an environment of RecBole's own; prints what it took as JSON.

    python recbole_lightgcn.py FOLDER --dim 64 --layers 2 --batch 2048 --threads 2

FOLDER has `pairs.npy`, int64 [n, 2] of user and item numbers.
"""

from __future__ import annotations

import argparse
import functools
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

# RecBole 1.2.1 reads back what it saved itself, with objects in it; torch refuses that by default since 2.6.
torch.load = functools.partial(torch.load, weights_only=False)

NAME = "logs"


def main() -> None:
    """Trains one epoch; making the data set and the model is not counted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for name in ("dim", "layers", "batch", "threads"):
        parser.add_argument(f"--{name}", type=int, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(epoch(arguments, Path(folder))))


def epoch(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Seconds and pairs of an epoch over all pairs.

    RecBole wants validation and test pairs where it splits nothing: the first training pair stands for both,
    and neither is scored.
    """
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.model.general_recommender import LightGCN
    from recbole.trainer import Trainer

    torch.set_num_threads(arguments.threads)
    pairs = np.load(arguments.folder / "pairs.npy")
    (folder / NAME).mkdir()
    for part, rows in (("train", pairs), ("valid", pairs[:1]), ("test", pairs[:1])):
        with (folder / NAME / f"{NAME}.{part}.inter").open("w", encoding="utf-8") as file:
            np.savetxt(
                file, rows, fmt="%d", delimiter="\t", header="user_id:token\titem_id:token", comments=""
            )
    settings = {
        "data_path": str(folder),
        "checkpoint_dir": str(folder),
        "benchmark_filename": ["train", "valid", "test"],
        "load_col": {"inter": ["user_id", "item_id"]},
        "embedding_size": arguments.dim,
        "n_layers": arguments.layers,
        "train_batch_size": arguments.batch,
        "epochs": 1,
        "use_gpu": False,
        "show_progress": False,
        "state": "ERROR",
    }
    config = Config(model="LightGCN", dataset=NAME, config_dict=settings)
    train, _, _ = data_preparation(config, create_dataset(config))
    model = LightGCN(config, train.dataset)
    trainer = Trainer(config, model)
    began = time.perf_counter()
    trainer.fit(train, saved=False, verbose=False)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "pairs": len(train.dataset), "threads": torch.get_num_threads()}


if __name__ == "__main__":
    main()
