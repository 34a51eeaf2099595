"""Hashes of original ids, computed in the engine over a node table."""

from __future__ import annotations

import ibis
import numpy as np

from hier_dag.engine_functions import md5_number_lower
from hier_dag.graph.pair_hashes import Hashes, NodeHashes


def node_hashes(users: ibis.Table, items: ibis.Table) -> NodeHashes:
    """Hashes of all users and items by dense number.

    Args:
        users: user (dense number), user_id.
        items: item (dense number), item_id.
    """
    return NodeHashes(_hashes(users, "user"), _hashes(items, "item"))


def _hashes(nodes: ibis.Table, kind: str) -> Hashes:
    hashed = nodes.select(number=nodes[kind], hash=md5_number_lower(nodes[f"{kind}_id"]))
    column = hashed.order_by("number").select("hash").to_pyarrow()["hash"]
    return np.asarray(column.to_numpy(), dtype=np.uint64)
