"""The FAISS index of a set's items, for the largest inner product.

Which kind, by the number of items: `flat` compares with every item; `hnsw` walks a graph of near items;
`ivf` looks only into the lists nearest to the query. Vectors of items differ in length, which IVF's lists,
made for nearest neighbours, deal with badly. Hence one coordinate more, sqrt(M² - |x|²) with M the longest
item's length: all items are then equally long, and with a query's further coordinate 0 the inner products
stay what they are (Bachrach et al. 2014, RecSys). HNSW is better without: its graph of inner products
reaches long items quickly, which the further coordinate hides. `docs/decisions.md` has the figures.

Whatever the kind, `index.search(queries, k)` takes the set's own vectors and gives inner products.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import faiss
import numpy as np

from hier_dag.graph.csr import FloatArray, IntArray
from hier_dag.publish.params import IndexParams
from hier_dag.publish.rows import BLOCK, Rows
from hier_dag.publish.writing import HashedFile

Kind = Literal["flat", "hnsw", "ivf"]

_NEIGHBOURS, _CONSTRUCTION = 32, 40  # of a node in HNSW's graph; candidates while it is built
_TRAINED_ON = 64  # items a list that k-means sees
_LARGEST_EFFORT = 4_096  # efSearch
_PIECE = 1 << 20  # bytes handed on at once while an index is written


@dataclass(frozen=True)
class BuiltIndex:
    """An index in memory and how it was made.

    Attributes:
        index: a faiss.Index over the items; its ids are row numbers.
        kind: flat, hnsw or ivf.
        parameters: for set.json, search effort included.
    """

    index: Any
    kind: Kind
    parameters: dict[str, int]

    def search(self, queries: FloatArray, k: int) -> IntArray:
        """Rows of the k best items as the index finds them: float32 [q, d] -> int64 [q, k], -1 where none."""
        return np.asarray(self.index.search(np.ascontiguousarray(queries, np.float32), k)[1])


def choose(items: int, params: IndexParams) -> tuple[Kind, dict[str, int]]:
    """Kind and parameters of an index over so many items, before the search effort is tuned."""
    if items < max(1, params.exact_below):
        return "flat", {}
    if items < params.hnsw_below:
        return "hnsw", {"neighbours": _NEIGHBOURS, "construction": _CONSTRUCTION}
    # Twice the square root, as a power of two: finding the lists then costs about what reading them does.
    lists = 1 << round(np.log2(2 * np.sqrt(items)))
    return "ivf", {"lists": max(1, min(lists, items // _TRAINED_ON))}


def build_index(items: Rows, params: IndexParams) -> BuiltIndex:
    """Builds the index of a set; equal items give equal bytes, whatever the number of threads (FAISS 1.15).

    Args:
        items: float32 [m, d], read in blocks; the index holds the only copy.
        params: decides the kind.

    Returns:
        The index with the least search effort: see `tuned`.
    """
    kind, parameters = choose(items.shape[0], params)
    if kind == "ivf":
        return BuiltIndex(_ivf(items, parameters["lists"]), kind, parameters)
    if kind == "hnsw":
        return BuiltIndex(_hnsw(items), kind, parameters)
    index = faiss.IndexFlatIP(items.shape[1])
    _make_room(index.codes, 4 * items.shape[0] * items.shape[1])
    for _, block in items.blocks():
        index.add(block)
    return BuiltIndex(index, kind, parameters)


def tuned(built: BuiltIndex, enough: Callable[[BuiltIndex], bool]) -> BuiltIndex:
    """Raises the search effort until it is enough; the effort is kept inside the index.

    Args:
        built: index whose effort is changed.
        enough: whether an index finds what it should, such as a share of the true best.

    Returns:
        The index with the first effort that is enough; with the largest where none is.
    """
    if built.kind == "flat":
        return built
    hnsw = built.kind == "hnsw"
    name = "search" if hnsw else "probes"
    for effort in _efforts(16, _LARGEST_EFFORT) if hnsw else _efforts(1, built.parameters["lists"]):
        if hnsw:
            built.index.hnsw.efSearch = effort
        else:
            faiss.extract_index_ivf(built.index).nprobe = effort
        built = replace(built, parameters={**built.parameters, name: effort})
        if enough(built):
            break
    return built


def write_index(built: BuiltIndex, file: HashedFile) -> None:
    """Writes an index in FAISS's own format, a piece at a time.

    Args:
        built: the index.
        file: where to; faiss.read_index reads it.
    """
    faiss.write_index(built.index, faiss.PyCallbackIOWriter(file.write, _PIECE))


def _hnsw(items: Rows) -> Any:
    index = faiss.IndexHNSWFlat(items.shape[1], _NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = _CONSTRUCTION
    n, dim = items.shape
    _make_room(faiss.downcast_index(index.storage).codes, 4 * n * dim)
    # Twice as many neighbours on the lowest level, and about one more a node on all levels above.
    _make_room(index.hnsw.neighbors, n * (2 * _NEIGHBOURS + 2))
    for _, block in items.blocks():
        index.add(block)
    return index


def _ivf(items: Rows, lists: int) -> Any:
    n, dim = items.shape
    longest = max(float(np.einsum("ij,ij->i", b, b, dtype=np.float64).max()) for _, b in items.blocks())
    quantizer = faiss.IndexFlatIP(dim + 1)
    ivf = faiss.IndexIVFFlat(quantizer, dim + 1, lists, faiss.METRIC_INNER_PRODUCT)
    ivf.train(_sample(items, min(n, lists * _TRAINED_ON), longest))
    nearest = np.empty(n, np.int32)
    for start, block in items.blocks():
        nearest[start : start + len(block)] = quantizer.assign(_equally_long(block, longest), 1).ravel()
    # As `_make_room` does.
    for number, size in enumerate(np.bincount(nearest, minlength=lists)):
        ivf.invlists.resize(number, int(size))
        ivf.invlists.resize(number, 0)
    for start, block in items.blocks():
        rows = _equally_long(block, longest)
        to = nearest[start : start + len(block)].astype(np.int64)
        ivf.add_core(len(rows), faiss.swig_ptr(rows), None, faiss.swig_ptr(to))
    padded = faiss.IndexPreTransform(faiss.RemapDimensionsTransform(dim, dim + 1, False), ivf)
    return padded


def _make_room(vector: Any, values: int) -> None:
    """Has a C++ vector take its final room at once, and keep it: growing would need a copy beside it."""
    vector.resize(values)
    vector.resize(0)


def _sample(items: Rows, wanted: int, longest: float) -> FloatArray:
    """Items at even distances, of equal length: float32 [wanted, d + 1]."""
    rows = np.linspace(0, items.shape[0] - 1, wanted).astype(np.int64)
    sample = np.empty((wanted, items.shape[1] + 1), np.float32)
    for start in range(0, wanted, BLOCK):
        part = rows[start : start + BLOCK]
        sample[start : start + len(part)] = _equally_long(items.take(part), longest)
    return sample


def _equally_long(rows: FloatArray, longest: float) -> FloatArray:
    """Rows with one coordinate more, float32 [n, d + 1]: the square of each one's length is `longest`."""
    missing = np.sqrt(np.maximum(longest - np.einsum("ij,ij->i", rows, rows, dtype=np.float64), 0))
    return np.concatenate([rows, missing[:, None]], axis=1, dtype=np.float32)


def _efforts(first: int, most: int) -> Iterator[int]:
    """Efforts to try, each about a quarter above the one before."""
    effort = min(first, most)
    while effort < most:
        yield effort
        effort = max(effort + 1, effort * 5 // 4)
    yield most
