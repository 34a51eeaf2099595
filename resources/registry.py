"""The registry."""

import dagster as dg

from hier_dag.registry import Registry


class RegistryResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where artifacts are recorded."""

    url: str
    platform: str
    timeout: float = 30.0

    def open(self) -> Registry:
        """A registry; close it when done."""
        return Registry(self.url, self.timeout, platform=self.platform)
