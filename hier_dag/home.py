"""Where state lives: HIER_HOME, one folder a platform below it; HIER_DOMAINS names the declaration."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hier_dag.durable import replace_file
from hier_dag.errors import ConfigError

SAMPLE_DOMAINS = Path(__file__).resolve().parent.parent / "examples" / "sample" / "domains.yaml"

_LAST = "last.json"
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
    def checkpoints(self) -> Path:
        """Checkpoints of trainings that are not done, one folder each."""
        return self.root / "checkpoints"

    @property
    def data_docs(self) -> Path:
        """Pages of the statistical expectations, a site that works offline."""
        return self.root / "data_docs"

    @property
    def audit(self) -> Path:
        """Lineage report, bundles of evidence, and the newest verification; may be deleted."""
        return self.root / "audit"

    @property
    def registry_url(self) -> str:
        """HIER_REGISTRY, else a SQLite file here."""
        return os.environ.get("HIER_REGISTRY", f"sqlite:///{self.root / 'registry.db'}")

    def dagster(self) -> Path:
        """DAGSTER_HOME, absolute: the environment's, else a folder here with an instance file.

        Raises:
            ConfigError: when it cannot be made or written.
        """
        given = os.environ.get("DAGSTER_HOME")
        folder = Path(given).expanduser().resolve() if given else self.root / "dagster"
        with _writing(folder, "DAGSTER_HOME" if given else "HIER_HOME"):
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / "dagster.yaml").exists():
                (folder / "dagster.yaml").write_text(_INSTANCE, encoding="utf-8")
        return folder


def state_root() -> Path:
    """HIER_HOME, default `.hier` in the working directory.

    Raises:
        ConfigError: when something that is no folder has that name.
    """
    root = Path(os.environ.get("HIER_HOME", ".hier")).expanduser().resolve()
    if os.path.exists(root) and not os.path.isdir(root):
        raise ConfigError("HIER_HOME is not a folder.", file=str(root), fix="set HIER_HOME to a folder")
    return root


def home_at(platform: str) -> Home:
    """State of one platform, to be read: nothing is made, and it may be mounted read-only.

    Raises:
        ConfigError: when HIER_HOME is no folder.
    """
    return Home(state_root() / platform)


def home_of(platform: str) -> Home:
    """State of one platform, to be written; its folder is made when it is not there.

    Raises:
        ConfigError: when that folder cannot be made or written.
    """
    root = state_root() / platform
    with _writing(root, "HIER_HOME"):
        root.mkdir(parents=True, exist_ok=True)
        if not may_be_written(root):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return Home(root)


def may_be_written(folder: Path) -> bool:
    """Whether this process may make files in a folder."""
    return os.access(folder, os.W_OK | os.X_OK)


@contextmanager
def working_folder(home: Home) -> Iterator[Path]:
    """A folder to work in: `scratch`; where the state may only be read, a temporary one of the system's."""
    if may_be_written(home.scratch if home.scratch.exists() else home.root):
        home.scratch.mkdir(exist_ok=True)
        yield home.scratch
        return
    with tempfile.TemporaryDirectory(prefix="hier-") as folder:
        yield Path(folder)


def domains_file() -> Path:
    """HIER_DOMAINS, default the sample platform's domains.yaml: what the Dagster code location loads."""
    return Path(os.environ.get("HIER_DOMAINS", SAMPLE_DOMAINS)).expanduser().resolve()


def remember(domains: Path) -> None:
    """Notes the declaration that was run last, for commands that are not told one."""
    note = state_root() / _LAST
    with _writing(note, "HIER_HOME"):
        replace_file(note, json.dumps({"domains": str(domains.resolve())}).encode())


def named_domains_file() -> Path | None:
    """HIER_DOMAINS, else the declaration that was run last, else None."""
    return domains_file() if "HIER_DOMAINS" in os.environ else _noted(state_root() / _LAST)


def last_domains_file() -> Path:
    """HIER_DOMAINS, else the declaration that was run last, else the sample's."""
    return named_domains_file() or domains_file()


def _noted(note: Path) -> Path | None:
    # A note that is missing or damaged says nothing: it only spares people an argument.
    try:
        last = Path(json.loads(note.read_bytes())["domains"])
        return last if os.path.isfile(last) else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


@contextmanager
def _writing(path: Path, variable: str) -> Iterator[None]:
    """Names the variable that says where state goes when nothing can be written there."""
    try:
        yield
    except OSError as e:
        raise ConfigError(
            f"{variable}: cannot be written: {e.strerror or e}.",
            file=str(path),
            fix=f"set {variable} to a folder that you may write",
        ) from e
