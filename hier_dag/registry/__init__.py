"""The registry: which artifacts exist, what made them, which checks they passed, which are live."""

from hier_dag.registry.aliases import AliasRow, Move
from hier_dag.registry.artifacts import ArtifactRow
from hier_dag.registry.chain import Event, Head
from hier_dag.registry.checks import CheckRow
from hier_dag.registry.decisions import Decision, Statement
from hier_dag.registry.registry import Registry

__all__ = [
    "AliasRow",
    "ArtifactRow",
    "CheckRow",
    "Decision",
    "Event",
    "Head",
    "Move",
    "Registry",
    "Statement",
]
