"""The artifact store and the folder of live aliases."""

from pathlib import Path

import dagster as dg

from hier_dag.store import ArtifactStore


class ArtifactStoreResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where artifacts and alias files live."""

    root: str
    live: str

    def open(self) -> ArtifactStore:
        """The store; its folders are made when they are not there."""
        return ArtifactStore(Path(self.root))

    @property
    def live_folder(self) -> Path:
        """Folder of the alias files."""
        return Path(self.live)
