import io

import numpy as np
from PIL import Image

from hier_dag.evaluate.trust_plot import trust_png
from hier_dag.model.crowd_trust import CrowdTrust


def test_the_picture_is_small_and_tells_one_rehearsal_from_another():
    scales = np.array([0.0, 0.35, 1.0], np.float32)
    rows = np.linspace(0.1, 0.3, 6, dtype=np.float32).reshape(1, 2, 3)
    up = CrowdTrust(np.array([0.5, 2.0], np.float32), scales, rows)
    down = CrowdTrust(up.densities, scales, rows[..., ::-1].copy())
    one, other = trust_png(up), trust_png(down)
    assert len(one) < 50_000
    assert Image.open(io.BytesIO(one)).size == Image.open(io.BytesIO(other)).size
    assert one != other
