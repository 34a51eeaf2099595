"""One int64 per (user, item) that orders by score and then by a seeded hash: how ties are broken.

A key holds the score's bits, order-preserving, above 32 random bits. The random bits are a hash of (seed,
user, item), so neither the order of items nor the block size moves a rank.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hier_dag.graph.csr import FloatArray, IntArray

_USERS = 0x9E3779B9  # keeps user 7 and item 7 from hashing alike


def user_hash(rows: IntArray) -> NDArray[np.uint32]:
    """Hash of user positions, uint32 [b]; the seed enters by way of items."""
    return _hash(rows, _USERS)


def item_hash(items: IntArray, seed: int) -> NDArray[np.uint32]:
    """Hash of (seed, item number), uint32 [m]."""
    return _hash(items, seed)


def score_bits(scores: FloatArray) -> NDArray[np.int64]:
    """Upper halves of keys, int64 [b, m]: they order as the scores do; −inf (a masked item) comes last.

    Args:
        scores: float32 [b, m], no NaN.
    """
    # Adding 0 turns -0.0 into +0.0, which must tie. The bits of a float32 order as integers do, once those
    # of negatives are flipped.
    bits = (scores + np.float32(0)).view(np.int32)
    bits ^= (bits >> 31) & np.int32(0x7FFFFFFF)
    keys = bits.astype(np.int64)
    keys <<= 32
    return keys


def ordering_keys(
    bits: NDArray[np.int64], users: NDArray[np.uint32], items: NDArray[np.uint32]
) -> NDArray[np.int64]:
    """Distinct keys, int64 [b, m], that order each row by score and break ties at random.

    Args:
        bits: int64 [b, m], `score_bits`.
        users: uint32 [b], `user_hash` of the rows.
        items: uint32 [m], `item_hash` of the catalogue.
    """
    noise = users[:, None] ^ items[None, :]
    _mix(noise)
    return bits | noise


def _hash(numbers: IntArray, seed: int) -> NDArray[np.uint32]:
    x = numbers.astype(np.uint32)
    x ^= np.uint32((seed * 0x85EBCA6B + 0x27220A95) & 0xFFFFFFFF)
    _mix(x)
    return x


def _mix(x: NDArray[np.uint32]) -> None:
    """Scrambles 32-bit integers in place (the finaliser of MurmurHash3: every bit flips every other)."""
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
