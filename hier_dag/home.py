"""Where state lives: HIER_HOME, and the domains.yaml that the code location loads: HIER_DOMAINS."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_SAMPLE = Path(__file__).resolve().parent.parent / "examples" / "sample" / "domains.yaml"


@dataclass(frozen=True)
class Home:
    """Folders below HIER_HOME."""

    root: Path

    @property
    def store(self) -> Path:
        """Artifacts."""
        return self.root / "store"

    @property
    def live(self) -> Path:
        """Alias files, one a domain."""
        return self.root / "live"

    @property
    def scratch(self) -> Path:
        """Spill files of the data engine."""
        return self.root / "scratch"

    @property
    def dagster(self) -> Path:
        """Dagster's own storage (DAGSTER_HOME)."""
        return self.root / "dagster"

    @property
    def sample(self) -> Path:
        """Default folder of the sample platform."""
        return self.root / "sample"

    @property
    def registry_url(self) -> str:
        """HIER_REGISTRY, else a SQLite file here."""
        return os.environ.get("HIER_REGISTRY", f"sqlite:///{self.root / 'registry.db'}")


def home() -> Home:
    """HIER_HOME, default `.hier` in the working directory; made when it is not there."""
    root = Path(os.environ.get("HIER_HOME", ".hier")).expanduser().resolve()
    root.mkdir(parents=True, exist_ok=True)
    return Home(root)


def domains_file() -> Path:
    """HIER_DOMAINS, default the sample platform's domains.yaml."""
    return Path(os.environ.get("HIER_DOMAINS", _SAMPLE)).expanduser().resolve()
