"""The FAISS index of a set, searched in the memory map: opening it copies nothing."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
import pyarrow as pa

from hier_dag.errors import StoreError
from hier_dag.publish.reader.reading import RERUN, reading
from hier_dag.publish.reader.row_groups import FloatArray, IntArray

_WIDER = 8  # times as many lists or candidates where a search came back short


class Index:
    """items.faiss, whose ids are rows of items.parquet.

    Args:
        buffer: its bytes; they stay mapped as long as the index lives.
        file: what it is called in messages.
        items: rows of items.parquet.
        dim: length of the vectors.

    Attributes:
        lossless: whether it holds vectors as float32, so that its scores are the inner products.

    Raises:
        StoreError: when it is no such index, or of other rows, dimension or metric.
    """

    def __init__(self, buffer: pa.Buffer, file: str, items: int, dim: int) -> None:
        self._bytes = np.frombuffer(buffer, dtype=np.uint8)
        with reading(file):
            self._index = faiss.read_index(faiss.ZeroCopyIOReader(faiss.swig_ptr(self._bytes), buffer.size))
        found = {"items": self._index.ntotal, "dimensions": self._index.d}
        for what, number in {"items": items, "dimensions": dim}.items():
            if found[what] != number:
                raise StoreError(
                    f"the index has {found[what]} {what}, items.parquet {number}", file=file, fix=RERUN
                )
        if self._index.metric_type != faiss.METRIC_INNER_PRODUCT:
            raise StoreError("the index is not of inner products", file=file, fix=RERUN)
        self._core, remapped = _core(self._index)
        plain = (faiss.IndexFlat, faiss.IndexIVFFlat, faiss.IndexHNSWFlat)
        self.lossless = remapped and isinstance(self._core, plain)

    def search(
        self, queries: FloatArray, width: int, *, wider: bool = False, without: IntArray | None = None
    ) -> tuple[FloatArray, IntArray]:
        """The items that the index finds.

        Args:
            queries: float32 [n, dim].
            width: how many to find.
            wider: look at more of the catalogue than the index is set to.
            without: rows that are not to be found, for every query.

        Returns:
            Scores float32 and rows int64, [n, width], best first; rows are -1 where fewer were found.
        """
        selector = None
        if without is not None:
            selector = faiss.IDSelectorNot(faiss.IDSelectorBatch(np.ascontiguousarray(without)))
        settings = self._settings(width, _WIDER if wider else 1, selector)
        scores, rows = self._index.search(np.ascontiguousarray(queries), width, params=settings)
        return scores, rows

    def _settings(self, width: int, times: int, selector: Any) -> Any:
        # Settings for one call replace those in the file, so these are given along.
        chosen = {} if selector is None else {"sel": selector}
        core = self._core
        if isinstance(core, faiss.IndexIVF):
            settings = faiss.SearchParametersIVF(nprobe=min(core.nlist, core.nprobe * times), **chosen)
        elif isinstance(core, faiss.IndexHNSW):
            settings = faiss.SearchParametersHNSW(efSearch=max(core.hnsw.efSearch, width) * times, **chosen)
        else:
            settings = faiss.SearchParameters(**chosen)
        if core is self._index:
            return settings
        return faiss.SearchParametersPreTransform(index_params=settings)


def _core(index: Any) -> tuple[Any, bool]:
    """The index below what changes its queries, and whether that leaves every score as it is."""
    if not isinstance(index, faiss.IndexPreTransform):
        return index, True
    steps = [faiss.downcast_VectorTransform(index.chain.at(i)) for i in range(index.chain.size())]
    moved = all(isinstance(step, faiss.RemapDimensionsTransform) for step in steps)
    return faiss.downcast_index(index.index), moved
