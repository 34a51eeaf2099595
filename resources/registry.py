"""The registry."""

import dagster as dg

from hier_dag.registry import Registry
from hier_dag.registry.patience import RUN, patience


class RegistryResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where artifacts are recorded."""

    url: str
    platform: str
    timeout: float | None = None

    def open(self) -> Registry:
        """A registry; close it when done."""
        seconds = patience(RUN) if self.timeout is None else self.timeout
        return Registry(self.url, seconds, platform=self.platform)
