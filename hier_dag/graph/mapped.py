"""The arrays of a safetensors file as memory maps: reading a file larger than memory takes none.

`safetensors` itself copies every tensor out of its own map. It checks the header all the same (bounds, types,
shapes, no overlap and no gap), so that where a tensor lies follows from the order and sizes of all.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

_LENGTH = 8  # bytes, little endian, that give the header's length
_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip


def mapped_arrays(file: Path) -> dict[str, NDArray[Any]]:
    """Every tensor of a safetensors file by name, as a read-only array on its own map of the file.

    Args:
        file: stays as it is while the arrays are in use.

    Raises:
        OSError: the file cannot be opened.
        SafetensorError: its header is not that of a whole safetensors file.
        TypeError: a tensor is of a type that numpy has no name for, such as BF16.
    """
    with file.open("rb") as opened:
        start = _LENGTH + int.from_bytes(opened.read(_LENGTH), "little")
    arrays = {}
    with safe_open(file, framework="np") as checked:
        for name in checked.offset_keys():
            tensor = checked.get_slice(name)
            kind, shape = tensor.get_dtype(), tuple(tensor.get_shape())
            if kind not in _TYPES:
                raise TypeError(f"tensor {name!r} is of the type {kind}, which numpy does not know")
            arrays[name] = _mapped(file, np.dtype(_TYPES[kind]), start, shape)
            start += arrays[name].nbytes
    return arrays


def _mapped(file: Path, kind: np.dtype[Any], start: int, shape: tuple[int, ...]) -> NDArray[Any]:
    if math.prod(shape) == 0:  # nothing to map, which systems refuse
        nothing = np.empty(shape, kind)
        nothing.flags.writeable = False
        return nothing
    return np.asarray(np.memmap(file, kind, mode="r", offset=start, shape=shape))
