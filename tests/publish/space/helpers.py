"""Small sets of vectors, in memory and as the files of a published set."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hier_dag.publish.space.sides import ArraySide, Space


def normal(rows, dim, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)


def orthogonal(dim, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))[0]


def ids(letter, rows):
    return np.array(sorted(f"{letter}{n}" for n in range(rows)), dtype=object)


def space(users, items):
    """A set in memory whose users are u0, u1, … and whose items are i0, i1, …"""
    return Space(ArraySide(ids("u", len(users)), users), ArraySide(ids("i", len(items)), items))


def written(folder, new, row_group_size=7):
    """The same set as files of several row groups."""
    folder.mkdir()
    for side, name, key in ((new.users, "users", "user_id"), (new.items, "items", "item_id")):
        column = pa.FixedSizeListArray.from_arrays(pa.array(side.vectors.ravel()), side.dim)
        table = pa.table({key: side.ids, "vector": column})
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=row_group_size)
    return Space.of_folder(folder)
