"""Baselines that every report card shows next to HIER, registered by name."""

from hier_dag.evaluate.baselines import entity_profile, popularity, random
from hier_dag.evaluate.baselines.base import BASELINES, Baseline, Evidence, register

__all__ = ["BASELINES", "Baseline", "Evidence", "entity_profile", "popularity", "random", "register"]
