"""Draws the events of one service, block by block: user, intent, exemplar, item, behaviour, time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hier_dag.sample.decisions import Decisions
from hier_dag.sample.items import Items
from hier_dag.sample.params import BLOCK_EVENTS, SampleParams
from hier_dag.sample.rhythm import Rhythm
from hier_dag.sample.services import BEHAVIORS, SERVICES, Service
from hier_dag.sample.streams import FloatArray, GroupedChoice, IntArray, WeightedChoice, stream
from hier_dag.sample.users import MAX_INTENTS, Users

_ORDER = BEHAVIORS.index("order")
_BEHAVIOR_SHARES = {True: (0.72, 0.13, 0.15), False: (0.90, 0.05, 0.05)}  # by whether an intent led to it
_QUANTITY_SHARES = (0.7, 0.2, 0.07, 0.03)  # of orders of 1, 2, 3 and 4


@dataclass(frozen=True)
class EventBlock:
    """Events in order of time, no two of one user and item in the same second.

    Attributes:
        user, item: int64, numbers.
        behavior: int64, index into BEHAVIORS.
        milli: int64, epoch milliseconds.
        quantity: float64, at least 1.
    """

    user: IntArray
    item: IntArray
    behavior: IntArray
    milli: IntArray
    quantity: FloatArray

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: IntArray) -> EventBlock:
        """The block's rows, in the order given."""
        return EventBlock(
            self.user[rows], self.item[rows], self.behavior[rows], self.milli[rows], self.quantity[rows]
        )


class EventSource:
    """All that decides one service's events.

    Args:
        params: the platform.
        service: the service.
        users: every user.
        items: the service's items.
        decisions: the planted decision path.
    """

    def __init__(
        self, params: SampleParams, service: Service, users: Users, items: Items, decisions: Decisions
    ) -> None:
        self.events = round(params.events * service.event_share)
        self._params = params
        self._number = SERVICES.index(service)
        self._users = users
        self._members = users.members(self._number)
        self._by_activity = WeightedChoice(users.activity[self._members])
        path = decisions.in_service(service)
        intent, exemplar = np.nonzero(path)
        self._exemplar = GroupedChoice(intent, exemplar, path[intent, exemplar], path.shape[0])
        weight = items.popularity[items.exemplar_item]
        self._item = GroupedChoice(items.exemplar, items.exemplar_item, weight, path.shape[1])
        self._popular = WeightedChoice(items.popularity)
        self._rhythm = Rhythm(params, service)

    def blocks(self) -> Iterator[EventBlock]:
        """Every event in order of time, a block at a time."""
        for block in range(-(-self.events // BLOCK_EVENTS)):
            yield self.block(block)

    def block(self, block: int) -> EventBlock:
        """One block, independent of all others: it owns its own stretch of time."""
        n = min(BLOCK_EVENTS, self.events - block * BLOCK_EVENTS)
        rng = stream(self._params.seed, "events", self._number, block)
        user = self._members[self._by_activity.draw(rng.random(n))]
        item, planted = self._choose(rng, user)
        shares = np.cumsum([_BEHAVIOR_SHARES[False], _BEHAVIOR_SHARES[True]], axis=1)[:, :-1]
        behavior = (rng.random(n)[:, None] >= shares[planted.astype(np.int64)]).sum(axis=1)
        quantity = 1.0 + WeightedChoice(np.array(_QUANTITY_SHARES)).draw(rng.random(n))
        drawn = EventBlock(
            user, item, behavior, self._times(rng, block, n), np.where(behavior == _ORDER, quantity, 1.0)
        )
        return drawn.take(self._distinct(drawn))

    def _choose(self, rng: np.random.Generator, user: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
        """Items, and whether an intent led to each."""
        n = len(user)
        running = np.cumsum(self._users.shares[user], axis=1)[:, : MAX_INTENTS - 1]
        place = (rng.random(n)[:, None] >= running).sum(axis=1)
        # Rounding in a running sum may point past a user's last intent.
        place = np.minimum(place, (self._users.intents[user] >= 0).sum(axis=1) - 1)
        intent = self._users.intents[user, place].astype(np.int64)
        exemplar = self._exemplar.draw(intent, rng.random(n))
        item = self._item.draw(exemplar, rng.random(n))
        planted = (rng.random(n) >= self._params.noise) & (item >= 0)
        return np.where(planted, item, self._popular.draw(rng.random(n))), planted

    def _times(self, rng: np.random.Generator, block: int, n: int) -> IntArray:
        first = block * BLOCK_EVENTS
        edge = self._rhythm.at(np.array([first, first + n]) / self.events)
        share = np.sort(first + n * rng.random(n)) / self.events
        # Blocks share no second, so events that are distinct within blocks are distinct over all.
        second = np.clip(self._rhythm.at(share), edge[0], max(edge[0], edge[1] - 1))
        return np.sort(second * 1000 + rng.integers(1000, size=n))

    def _distinct(self, drawn: EventBlock) -> IntArray:
        key = np.lexsort((drawn.milli // 1000, drawn.item, drawn.user))
        same = (
            (np.diff(drawn.user[key]) == 0)
            & (np.diff(drawn.item[key]) == 0)
            & (np.diff(drawn.milli[key] // 1000) == 0)
        )
        return np.sort(key[np.concatenate([[True], ~same])])
