import dataclasses

import numpy as np
import pytest
import torch

from hier_dag.model.interactions import encode_interactions
from hier_dag.model.registry import build_model
from hier_dag.model.source_view import source_view
from hier_dag.train.encoding_arrays import arrays_of
from hier_dag.train.params import PretrainParams

PARAMS = PretrainParams(model="dual", dim=8, intents=3, exemplars=4, interaction_dim=5, profile_dim=2)


def model(view, name="dual"):
    torch.manual_seed(0)
    return build_model(view, dataclasses.replace(PARAMS, model=name))


def test_the_content_half_is_that_of_recommended(view):
    dual, content = model(view).encode(), model(view, "recommended").encode()
    for name in ("users", "items", "item_bias", "user_origin", "item_origin"):
        np.testing.assert_array_equal(getattr(dual, name), getattr(content, name))
    assert content.interactions is None
    assert content.profiles is None


def test_the_other_half_encodes_the_sources_graph_with_the_declared_sizes(view):
    found = model(view).encode()
    want = encode_interactions(view.history, 5, 3, 4, seed=PARAMS.seed)
    for field in dataclasses.fields(want):
        np.testing.assert_array_equal(getattr(found.interactions, field.name), getattr(want, field.name))
    assert found.interactions.tastes.shape == (4, 5)
    assert found.profiles.items.shape == (6, 2)
    # u3 took nothing from a source; i4 and i5 are the target's, and i3 has no entity.
    assert found.interactions.intents.any(axis=1).tolist() == [True, True, True, False]
    assert not found.interactions.items[4:].any()
    np.testing.assert_allclose(found.profiles.known, [1, 1, 1, 0, 0.5, 0])


def test_no_target_interaction_is_read(graph_with):
    encodings = [
        arrays_of(model(source_view(graph_with(pairs))).encode()) for pairs in ([(1, 4)], [(3, 5), (0, 4)])
    ]
    for name, array in encodings[0].items():
        np.testing.assert_array_equal(array, encodings[1][name], err_msg=name)


@pytest.mark.parametrize("name", ["tastes", "intents"])
def test_encoding_twice_gives_the_same_bits(view, name):
    first, again = (getattr(model(view).encode().interactions, name) for _ in range(2))
    np.testing.assert_array_equal(first, again)
