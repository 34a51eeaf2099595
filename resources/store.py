"""The artifact store, the folder of live aliases and the Data Docs."""

from pathlib import Path

import dagster as dg

from hier_dag.store import ArtifactStore


class ArtifactStoreResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where artifacts, alias files and Data Docs live."""

    root: str
    live: str
    docs: str

    def open(self) -> ArtifactStore:
        """The store; its folders are made when they are not there."""
        return ArtifactStore(Path(self.root))

    @property
    def live_folder(self) -> Path:
        """Folder of the alias files."""
        return Path(self.live)

    @property
    def docs_folder(self) -> Path:
        """Folder of the Data Docs."""
        return Path(self.docs)
