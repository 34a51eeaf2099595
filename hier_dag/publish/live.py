"""The alias file: which set of a domain is live. Replacing it is the moment of publication."""

from __future__ import annotations

import fcntl
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from hier_dag.digest import canonical_json
from hier_dag.errors import StoreError, UsageError
from hier_dag.store.durable import replace_file


@dataclass(frozen=True)
class Live:
    """Where a domain's `live` alias points.

    Attributes:
        domain: the target domain.
        version: counts publications of the domain from 1.
        digest: digest of the published artifact.
    """

    domain: str
    version: int
    digest: str


def move_live(folder: Path, live: Live) -> None:
    """Points a domain's alias at a set, atomically and durably; never back to an earlier version.

    Of two publishers of one domain, the one whose version is higher wins, whoever comes last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{live.domain}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            newer = read_live(folder, live.domain).version > live.version
        except (UsageError, StoreError):
            newer = False
        if not newer:
            replace_file(folder / f"{live.domain}.json", canonical_json(asdict(live)))


def read_live(folder: Path, domain: str) -> Live:
    """Where a domain's alias points.

    Raises:
        UsageError: when nothing has been published for the domain.
        StoreError: when the alias file is damaged.
    """
    path = folder / f"{domain}.json"
    try:
        live = Live(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        published = sorted(p.stem for p in folder.glob("*.json"))
        raise UsageError(
            f"nothing is published for {domain!r}; published: {', '.join(published) or 'nothing yet'}.",
            fix="choose a published domain, or run: hier run",
        ) from None
    except (ValueError, TypeError):
        raise StoreError(
            "the alias file is damaged",
            domain=domain,
            file=str(path),
            fix="run: hier run (it writes the alias again from the registry)",
        ) from None
    if live.domain != domain:
        raise StoreError("the alias file names another domain", domain=domain, file=str(path))
    return live
