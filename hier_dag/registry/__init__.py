"""The registry: which artifacts exist, what made them, which checks they passed, which are live."""

from hier_dag.registry.registry import AliasRow, ArtifactRow, CheckRow, Registry

__all__ = ["AliasRow", "ArtifactRow", "CheckRow", "Registry"]
