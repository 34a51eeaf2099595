import numpy as np
import pytest

from hier_dag.evaluate.metrics import declared_metrics
from hier_dag.evaluate.records import Scored, make_records


@pytest.fixture
def report():
    """HIER far above the profile in zero-shot, level with popularity at 1 %, far below it at 3 per user."""
    rng = np.random.default_rng(0)
    metrics = declared_metrics((10, 50))
    noise = rng.normal(0, 0.02, (7, 300, len(metrics)))
    noise -= noise.mean(axis=1, keepdims=True)

    def scored(at, shots, model, mean):
        return Scored(
            shots, model, "closed_form" * (model == "hier"), (noise[at] + mean).astype(np.float32), 3
        )

    settings = [
        scored(0, "0", "hier", 0.30), scored(1, "0", "entity_profile", 0.10), scored(2, "0", "random", 0.01),
        scored(3, "3", "hier", 0.20), scored(4, "3", "popularity", 0.40),
        scored(5, "1%", "hier", 0.25), scored(5, "1%", "popularity", 0.25),
    ]  # fmt: skip
    origin = np.repeat(np.array([0, 2], np.int8), 150)
    return make_records("cafe", settings, metrics, origin, resamples=200, seed=0)
