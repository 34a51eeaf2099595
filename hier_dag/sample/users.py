"""Users of the sample platform: intents, activity, the services they use, and their friends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hier_dag.sample.decisions import Decisions
from hier_dag.sample.params import SampleParams
from hier_dag.sample.services import SERVICES
from hier_dag.sample.streams import FloatArray, IntArray, WeightedChoice, stream

MAX_INTENTS = 3
_BLOCK_USERS = 131_072
_COUNT_SHARES = (0.35, 0.4, 0.25)  # of users with 1, 2 and 3 intents
_NEWCOMERS = 0.1  # users of no source
_NEWCOMER_BOOST = 2.25  # how much likelier a newcomer is to use a target than an established user
_ACTIVITY_SIGMA = 1.1  # of the log-normal activity
_FRIENDS_PER_USER = 3.0
_LIKE_MINDED = 0.7  # of friendships, between two users led by the same intent


@dataclass(frozen=True)
class Users:
    """All users, by number.

    Attributes:
        intents: int8 [users, 3], intents by falling share; -1 where a user has fewer.
        shares: float32 [users, 3]; a row sums to 1.
        activity: float32 [users], relative number of events.
        services: uint8 [users], bit s set where the user may use SERVICES[s].
    """

    intents: NDArray[np.int8]
    shares: NDArray[np.float32]
    activity: NDArray[np.float32]
    services: NDArray[np.uint8]

    def members(self, service: int) -> IntArray:
        """Numbers of the users of one service."""
        return np.flatnonzero(self.services & (1 << service))

    def intent_table(self, start: int, stop: int) -> pa.Table:
        """Columns user_id, intent, share of the users from start to stop."""
        known = self.intents[start:stop] >= 0
        user = np.repeat(np.arange(start, stop), known.sum(axis=1))
        return pa.table(
            {
                "user_id": user_ids(user, len(self.activity)),
                "intent": self.intents[start:stop][known].astype(np.int64),
                "share": self.shares[start:stop][known],
            }
        )


def user_ids(number: IntArray, users: int) -> pa.Array:
    """Original ids such as u0001234, wide enough for all users."""
    text = pc.cast(pa.array(number), pa.string())
    width = max(7, len(str(users)))
    return pc.binary_join_element_wise("u", pc.utf8_lpad(text, width, "0"), "")


def user_blocks(users: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of each block of users."""
    for start in range(0, users, _BLOCK_USERS):
        yield start, min(start + _BLOCK_USERS, users)


def build_users(params: SampleParams, decisions: Decisions) -> Users:
    """Draws every user, block by block."""
    users = Users(
        intents=np.full((params.users, MAX_INTENTS), -1, dtype=np.int8),
        shares=np.zeros((params.users, MAX_INTENTS), dtype=np.float32),
        activity=np.empty(params.users, dtype=np.float32),
        services=np.empty(params.users, dtype=np.uint8),
    )
    for block, (start, stop) in enumerate(user_blocks(params.users)):
        rng = stream(params.seed, "users", block)
        intents, shares = _mixtures(rng, decisions.popularity, stop - start)
        users.intents[start:stop], users.shares[start:stop] = intents, shares
        users.activity[start:stop] = rng.lognormal(0.0, _ACTIVITY_SIGMA, stop - start)
        users.services[start:stop] = _services(rng, stop - start)
    return users


def _mixtures(
    rng: np.random.Generator, popularity: FloatArray, n: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    count = 1 + rng.choice(MAX_INTENTS, n, p=_COUNT_SHARES)
    # Gumbel noise on log weights: the largest few are a draw without replacement.
    keys = np.log(popularity) + rng.gumbel(size=(n, len(popularity)))
    intents = np.argsort(-keys, axis=1)[:, :MAX_INTENTS]
    absent = np.arange(MAX_INTENTS) >= count[:, None]
    parts = rng.gamma(1.5, size=(n, MAX_INTENTS))  # a Dirichlet, once divided by their sum
    parts[absent] = 0.0
    order = np.argsort(-parts, axis=1)
    parts = np.take_along_axis(parts / parts.sum(axis=1, keepdims=True), order, axis=1)
    intents = np.take_along_axis(np.where(absent, -1, intents), order, axis=1)
    return intents.astype(np.int8), parts.astype(np.float32)


def _services(rng: np.random.Generator, n: int) -> NDArray[np.uint8]:
    share = np.array([service.member_share for service in SERVICES])
    source = np.array([service.role == "source" for service in SERVICES])
    newcomer = rng.random(n) < _NEWCOMERS
    odds = np.where(newcomer[:, None], np.where(source, 0.0, share * _NEWCOMER_BOOST), share)
    uses = rng.random((n, len(SERVICES))) < odds
    # Everyone uses something: an established user some source, a newcomer some target that has a log.
    logged = np.array([service.log is not None for service in SERVICES])
    for rows, columns in ((~newcomer, source), (newcomer, ~source & logged)):
        choices = np.flatnonzero(columns)
        none = np.flatnonzero(rows & ~uses[:, choices].any(axis=1))
        drawn = WeightedChoice(share[choices]).draw(rng.random(len(none)))
        uses[none, choices[drawn]] = True
    return np.packbits(uses, axis=1, bitorder="little")[:, 0]


def build_friends(params: SampleParams, users: Users) -> tuple[IntArray, IntArray]:
    """Undirected friendships (user, other), user < other, each once; most between like-minded users."""
    rng = stream(params.seed, "friends")
    edges = int(_FRIENDS_PER_USER * params.users)
    sociable = WeightedChoice(np.sqrt(users.activity))
    user = sociable.draw(rng.random(edges))
    other = sociable.draw(rng.random(edges))
    leading = users.intents[:, 0].astype(np.int64)
    by_intent = np.argsort(leading, kind="stable")
    size = np.bincount(leading)
    start = np.cumsum(size) - size
    alike = rng.random(edges) < _LIKE_MINDED
    own = leading[user[alike]]
    place = start[own] + (rng.random(len(own)) * size[own]).astype(np.int64)
    other[alike] = by_intent[place]
    low, high = np.minimum(user, other), np.maximum(user, other)
    code = np.unique(low[low < high] * params.users + high[low < high])
    return code // params.users, code % params.users
