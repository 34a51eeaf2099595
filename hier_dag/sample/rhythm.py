"""When events happen: growth over the months, busy weekends, busy hours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hier_dag.sample.params import DAY_SECONDS, END_SECOND, SampleParams
from hier_dag.sample.services import SERVICES, Service
from hier_dag.sample.streams import FloatArray, IntArray, stream

_HOUR_SECONDS = 3600
_PEAK_HOURS = 1.8  # width of a busy time of day, standard deviation
_QUIET = 0.06  # of the busiest hour, what is left at night
_DAY_SIGMA = 0.12  # how much one day differs from the next


class Rhythm:
    """The times of one service's events, as the inverse of their running share.

    Args:
        params: the platform.
        service: the service.
    """

    def __init__(self, params: SampleParams, service: Service) -> None:
        rng = stream(params.seed, "rhythm", SERVICES.index(service))
        start = END_SECOND - service.days * DAY_SECONDS
        hours = start + _HOUR_SECONDS * np.arange(service.days * 24 + 1)
        day = np.arange(service.days)
        weekday = (hours[:-1:24] // DAY_SECONDS + 3) % 7  # 1 January 1970 was a Thursday; 0 is Monday
        of_day = (1 + service.growth * day / service.days) * np.where(weekday >= 5, service.weekend, 1.0)
        of_day = of_day * rng.lognormal(0.0, _DAY_SIGMA, service.days)
        of_hour = _QUIET + _bump(np.arange(24) + 0.5 - np.array(service.peaks)[:, None]).sum(axis=0)
        running = np.concatenate([[0.0], np.cumsum((of_day[:, None] * of_hour).ravel())])
        self._share = running / running[-1]
        self._second = hours.astype(np.float64)

    def at(self, share: FloatArray) -> IntArray:
        """The whole second (epoch) by which a share of all events has happened."""
        return np.interp(share, self._share, self._second).astype(np.int64)


def _bump(distance: NDArray[Any]) -> FloatArray:
    wrapped = (distance + 12) % 24 - 12
    return np.asarray(np.exp(-0.5 * (wrapped / _PEAK_HOURS) ** 2))
