"""Typed doors to the outside: data engine, artifact store, registry, trainer. Thin on purpose."""

from resources.engine import DataEngine
from resources.registry import RegistryResource
from resources.store import ArtifactStoreResource
from resources.trainer import Trainer

__all__ = ["ArtifactStoreResource", "DataEngine", "RegistryResource", "Trainer"]
