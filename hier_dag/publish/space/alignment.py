"""Turns a new set into the space of another: one orthogonal matrix on both sides, so no score changes."""

from __future__ import annotations

import mmap
import tempfile
from pathlib import Path

import numpy as np

from hier_dag.graph.csr import FloatArray
from hier_dag.publish.rows import OrderedRows
from hier_dag.publish.space.procrustes import Matrix
from hier_dag.store.failures import told


def align(vectors: FloatArray, rotation: Matrix) -> FloatArray:
    """Vectors of one side in the space that a rotation leads to, float32 [n, dim].

    Users and items turned by the same matrix keep all their products, to the rounding of float32. The
    last coordinate of a user is then no longer 1, nor that of an item its bias.

    Args:
        vectors: float32 [n, dim]; not changed.
        rotation: orthogonal, float64 [dim, dim].
    """
    turned = np.empty_like(vectors, dtype=np.float32)
    for at, block in OrderedRows(vectors).blocks():
        turned[at : at + len(block)] = _turned(block, rotation)
    return turned


def align_to_disk(vectors: FloatArray, rotation: Matrix, folder: Path) -> FloatArray:
    """The same vectors as `align` gives, bit by bit, on disk: one block at a time is held in memory.

    Args:
        vectors: float32 [n, dim], which may be a memory map; not changed.
        rotation: orthogonal, float64 [dim, dim].
        folder: where there is room for as many bytes; the file has no name there, and its room is free
            again once the array is.

    Returns:
        float32 [n, dim], a read-only memory map.

    Raises:
        StoreError: the folder has no room, or cannot be written.
    """
    if vectors.size == 0:  # an empty file cannot be mapped
        return align(vectors, rotation)
    with told(folder), tempfile.TemporaryFile(dir=folder) as file:
        for _, block in OrderedRows(vectors).blocks():
            file.write(_turned(block, rotation).data)
        file.flush()
        written = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    # Straight on the map, so that whoever reads in blocks can give back the pages it has read.
    return np.ndarray(vectors.shape, np.float32, buffer=written)


def _turned(block: FloatArray, rotation: Matrix) -> FloatArray:
    return (block.astype(np.float64) @ rotation).astype(np.float32)
