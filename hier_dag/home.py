"""Where state lives: HIER_HOME, one folder a platform below it; HIER_DOMAINS names the declaration."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from hier_dag.store.durable import replace_file

SAMPLE_DOMAINS = Path(__file__).resolve().parent.parent / "examples" / "sample" / "domains.yaml"

_INSTANCE = """\
# Written by hier_dag; edit it freely. deploy/dagster.yaml is a starting point for production.
telemetry: {enabled: false}
nux: {enabled: false}
run_monitoring: {enabled: true, free_slots_after_run_end_seconds: 300}
concurrency:
  runs: {max_concurrent_runs: 2}
  pools: {default_limit: 1, granularity: op}
"""


@dataclass(frozen=True)
class Home:
    """Folders of one platform's state."""

    root: Path

    @property
    def platform(self) -> str:
        """Name of the platform whose state this is."""
        return self.root.name

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
    def registry_url(self) -> str:
        """HIER_REGISTRY, else a SQLite file here."""
        return os.environ.get("HIER_REGISTRY", f"sqlite:///{self.root / 'registry.db'}")

    def dagster(self) -> Path:
        """DAGSTER_HOME: the environment's, else a folder here with an instance file."""
        given = os.environ.get("DAGSTER_HOME")
        folder = Path(given) if given else self.root / "dagster"
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "dagster.yaml").exists():
            (folder / "dagster.yaml").write_text(_INSTANCE, encoding="utf-8")
        return folder


def state_root() -> Path:
    """HIER_HOME, default `.hier` in the working directory."""
    return Path(os.environ.get("HIER_HOME", ".hier")).expanduser().resolve()


def home_of(platform: str) -> Home:
    """State of one platform; its folder is made when it is not there."""
    root = state_root() / platform
    root.mkdir(parents=True, exist_ok=True)
    return Home(root)


def domains_file() -> Path:
    """HIER_DOMAINS, default the sample platform's domains.yaml: what the Dagster code location loads."""
    return Path(os.environ.get("HIER_DOMAINS", SAMPLE_DOMAINS)).expanduser().resolve()


def remember(domains: Path) -> None:
    """Notes the declaration that was run last, for commands that are not told one."""
    replace_file(state_root() / "last.json", json.dumps({"domains": str(domains.resolve())}).encode())


def last_domains_file() -> Path:
    """HIER_DOMAINS, else the declaration that was run last, else the sample's."""
    note = state_root() / "last.json"
    if "HIER_DOMAINS" not in os.environ and note.is_file():
        last = Path(json.loads(note.read_bytes())["domains"])
        if last.is_file():
            return last
    return domains_file()
