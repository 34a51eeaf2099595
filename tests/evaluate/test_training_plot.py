import io

import matplotlib.image
import numpy as np
import pyarrow as pa
import pytest

from hier_dag.evaluate.training_plot import training_png
from hier_dag.train.monitors import MONITORS

GREEN = (0x2F, 0x9E, 0x44)  # exemplar entropy
ORANGE = (0xE8, 0x59, 0x0C)  # validation


def curve(epochs=5, **columns):
    down = np.linspace(1, 0.4, epochs)
    return pa.table(
        {
            "epoch": np.arange(1, epochs + 1, dtype=np.int32), "loss": 9 + down, "ndcg": 0.2 - down / 10,
            "open_paths": down / 20, **{name: down - n / 10 for n, name in enumerate(MONITORS)},
            "kept": np.arange(epochs) == epochs - 1, **columns,
        }
    )  # fmt: skip


def drawn(png, colour):
    pixels = matplotlib.image.imread(io.BytesIO(png))[..., :3]
    return int((np.abs(pixels - np.array(colour) / 255).max(axis=2) < 0.03).sum())


@pytest.mark.parametrize("epochs", [1, 5, 40])
def test_curve_and_monitors_are_one_small_picture(epochs):
    png = training_png(curve(epochs))
    assert len(png) < 50_000
    assert drawn(png, ORANGE) > 20
    assert epochs == 1 or drawn(png, GREEN) > 20
    assert png == training_png(curve(epochs))


def test_what_was_not_measured_is_not_drawn():
    none = pa.nulls(5, pa.float64())
    png = training_png(curve(ndcg=none, exemplar_entropy=none))
    assert drawn(png, GREEN) == 0
    assert drawn(png, ORANGE) == 0
    assert drawn(training_png(curve(**dict.fromkeys((*MONITORS, "open_paths"), none))), ORANGE) > 20
