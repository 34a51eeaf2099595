"""Digests: equal values have one name."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hier_dag.digest import canonical_json, digest_of, request_key

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), json_values, max_size=6))
def test_key_order_never_changes_a_digest(value):
    assert digest_of(dict(reversed(value.items()))) == digest_of(value)


def test_nan_has_no_digest():
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"loss": math.nan})


def test_every_part_of_a_request_decides_its_key():
    base = {
        "kind": "kg/graph", "partition": None, "code_version": "1", "params": {"a": 1},
        "parents": {"links": "x"}, "inputs": [{"location": "f", "sha256": "0", "bytes": 1}],
    }  # fmt: skip
    changes = {
        "kind": "kg/other", "partition": "food", "code_version": "2", "params": {"a": 2},
        "parents": {"links": "y"}, "inputs": [{"location": "f", "sha256": "1", "bytes": 1}],
    }  # fmt: skip
    keys = {request_key(**base)} | {request_key(**{**base, k: v}) for k, v in changes.items()}
    assert len(keys) == len(changes) + 1
