"""Drift of degrees: log-degree histograms of every relation against those of the last accepted graph."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from schemas.drift import ks, psi, psi_by_chance

HISTOGRAMS = "degree_histograms"


def degree_drift(
    before: Mapping[str, Any] | None, now: Mapping[str, Any], most: float
) -> tuple[list[str], dict[str, Any]]:
    """Compares two graphs by their profiles alone.

    Args:
        before: profile of the last accepted graph; None where there is none. One of an older version that
            has no histograms, or lacks a relation, is not compared in what it lacks.
        now: profile of this graph.
        most: largest PSI, beyond what two draws of these sizes from one distribution show by chance.

    Returns:
        Names (`relation.side`) of the degrees that drifted, and facts: of every side compared psi, ks and
        by_chance; an infinite PSI (one graph has nodes there, the other none) is null.
    """
    earlier = (before or {}).get(HISTOGRAMS, {})
    compared: dict[str, dict[str, float | None]] = {}
    drifted = []
    for relation, sides in now[HISTOGRAMS].items():
        for side, counts in sides.items():
            old = earlier.get(relation, {}).get(side)
            if old is None:
                continue
            pair = _padded(old, counts)
            figure, chance = psi(*pair), psi_by_chance(*pair)
            name = f"{relation}.{side}"
            compared[name] = {
                "psi": round(figure, 6) if math.isfinite(figure) else None,
                "ks": round(ks(*pair), 6),
                "by_chance": round(chance, 6),
            }
            if figure > most + chance:
                drifted.append(name)
    return drifted, {"drifted": drifted, "max_degree_psi": most, "compared": compared}


def _padded(a: list[int], b: list[int]) -> tuple[list[int], list[int]]:
    """Both histograms up to the last bin of either."""
    bins = max(len(a), len(b))
    return a + [0] * (bins - len(a)), b + [0] * (bins - len(b))
