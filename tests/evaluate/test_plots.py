import io

import matplotlib.image
import numpy as np

from hier_dag.evaluate.figures import evidence_order
from hier_dag.evaluate.plots import curve_png


def test_the_curve_is_a_small_png_with_something_drawn(report):
    png = curve_png(report, "cafe")
    assert len(png) < 50_000
    pixels = matplotlib.image.imread(io.BytesIO(png))
    blue = np.abs(pixels[..., :3] - np.array([0x00, 0x72, 0xB2]) / 255).max(axis=2) < 0.02
    assert blue.sum() > 50
    assert png == curve_png(report, "cafe")


def test_settings_are_shown_from_little_to_much_evidence():
    shots = sorted(["all", "3", "1", "10%", "0", "1%"], key=evidence_order)
    assert shots == ["0", "1%", "10%", "1", "3", "all"]
