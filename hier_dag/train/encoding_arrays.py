"""An encoding as named arrays, and back: what one safetensors file holds."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hier_dag.model.crowd_trust import CrowdTrust
from hier_dag.model.encoding import Encoding
from hier_dag.model.entity_profiles import EntityProfiles
from hier_dag.model.interactions import InteractionEncoding

_PARTS: dict[str, type] = {
    "interactions": InteractionEncoding,
    "profiles": EntityProfiles,
    "trust": CrowdTrust,
}


def arrays_of(encoding: Encoding) -> dict[str, NDArray[Any]]:
    """Arrays by name; those of a part are `part.name`, and a part that is None has none."""
    out: dict[str, NDArray[Any]] = {}
    for field in fields(Encoding):
        value = getattr(encoding, field.name)
        if field.name not in _PARTS:
            out[field.name] = value
        elif value is not None:
            out |= {f"{field.name}.{f.name}": getattr(value, f.name) for f in fields(value)}
    return {name: np.ascontiguousarray(array) for name, array in out.items()}


def encoding_of(arrays: dict[str, NDArray[Any]]) -> Encoding:
    """The encoding that `arrays_of` took apart.

    Raises:
        TypeError: an array is missing or unknown.
    """
    whole: dict[str, Any] = {name: array for name, array in arrays.items() if "." not in name}
    parts: dict[str, dict[str, NDArray[Any]]] = {}
    for name, array in arrays.items():
        if "." in name:
            part, inner = name.split(".", 1)
            parts.setdefault(part, {})[inner] = array
    unknown = sorted(parts.keys() - _PARTS.keys())
    if unknown:
        raise TypeError(f"unknown parts of an encoding: {', '.join(unknown)}")
    whole |= {name: _PARTS[name](**inner) for name, inner in parts.items()}
    return Encoding(**whole)
