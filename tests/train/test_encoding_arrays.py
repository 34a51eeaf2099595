import dataclasses

import numpy as np
import pytest
from safetensors.numpy import load, save

from hier_dag.model.crowd_trust import CrowdTrust
from hier_dag.model.encoding import Encoding
from hier_dag.model.entity_profiles import EntityProfiles
from hier_dag.model.interactions import InteractionEncoding
from hier_dag.train.encoding_arrays import arrays_of, encoding_of


def filled(rows=3, width=2):
    rng = np.random.default_rng(0)
    array = lambda *shape: rng.random(shape).astype(np.float32)  # noqa: E731
    origin = np.arange(rows, dtype=np.int8)
    return Encoding(
        users=array(rows, width), items=array(rows, width), item_bias=array(rows), user_origin=origin,
        item_origin=origin,
        interactions=InteractionEncoding(*(array(rows, width) for _ in range(5))),
        profiles=EntityProfiles(array(rows, width), array(rows, 0), array(rows), array(rows)),
        trust=CrowdTrust(array(rows), array(width), array(1, rows, width)),
    )  # fmt: skip


def same(one, other):
    if dataclasses.is_dataclass(one):
        return type(one) is type(other) and all(
            same(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(one)
        )
    return one is other or (one.dtype == other.dtype and np.array_equal(one, other))


@pytest.mark.parametrize(
    "parts", [(), ("interactions",), ("profiles",), ("trust",), ("interactions", "profiles", "trust")]
)
def test_an_encoding_comes_back_through_a_file_with_the_parts_it_has(parts):
    missing = {name: None for name in ("interactions", "profiles", "trust") if name not in parts}
    encoding = dataclasses.replace(filled(), **missing)
    assert same(encoding_of(load(save(arrays_of(encoding)))), encoding)


def test_arrays_are_named_by_their_part_and_contiguous():
    encoding = filled()
    encoding = dataclasses.replace(encoding, users=encoding.users[:, ::-1])
    arrays = arrays_of(encoding)
    assert {n for n in arrays if n.startswith("profiles.")} == {
        "profiles.users",
        "profiles.items",
        "profiles.known",
        "profiles.breadth",
    }
    assert all(array.flags.c_contiguous for array in arrays.values())
    np.testing.assert_array_equal(arrays["users"], encoding.users)


@pytest.mark.parametrize("name", ["users", "interactions.paths", "profiles.known"])
def test_a_missing_array_is_refused(name):
    arrays = arrays_of(filled())
    del arrays[name]
    with pytest.raises(TypeError, match=name.split(".")[-1]):
        encoding_of(arrays)


@pytest.mark.parametrize("name", ["surprise", "profiles.surprise", "surprise.users"])
def test_an_unknown_array_is_refused(name):
    with pytest.raises(TypeError, match="surprise"):
        encoding_of(arrays_of(filled()) | {name: np.zeros(1, np.float32)})
