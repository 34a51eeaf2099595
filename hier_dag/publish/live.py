"""The alias file: which set of a domain is live. Replacing it is the moment of publication."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from hier_dag.digest import canonical_json
from hier_dag.durable import replace_file
from hier_dag.errors import StoreError, UsageError
from hier_dag.store.names import is_digest, is_name

_AGAIN = "run: hier run (it writes the alias again from the registry)"
_LARGEST = 1 << 16  # bytes of an alias file; a whole one has some hundred


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
    _checked(live.domain)
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder / f".{live.domain}.lock"):
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
        StoreError: when the alias file is damaged, or a link to another place.
    """
    path = folder / f"{_checked(domain)}.json"
    try:
        live = Live(**json.loads(_plain_bytes(path)))
    except FileNotFoundError:
        published = sorted(p.stem for p in folder.glob("*.json"))
        raise UsageError(
            f"nothing is published for {domain!r}; published: {', '.join(published) or 'nothing yet'}.",
            fix="choose a published domain, or run: hier run",
        ) from None
    except (ValueError, TypeError, RecursionError):
        raise StoreError(
            "the alias file is damaged",
            domain=domain,
            file=str(path),
            fix=_AGAIN,
        ) from None
    if live.domain != domain:
        raise StoreError("the alias file names another domain", domain=domain, file=str(path))
    if not is_digest(live.digest) or type(live.version) is not int:
        raise StoreError(
            f"the alias file names no artifact: digest {live.digest!r}, version {live.version!r}",
            domain=domain,
            file=str(path),
            fix=_AGAIN,
        )
    return live


def _checked(domain: str) -> str:
    """A domain's name: nothing else may become part of a path.

    Raises:
        UsageError: when no domain can be called so.
    """
    if not is_name(domain):
        raise UsageError(
            f"no domain can be called {domain!r}.", fix="names are lower-case letters, digits and underscores"
        )
    return domain


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    # Never through a link: opening for writing would make or touch the file that it points to.
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    except OSError as e:
        if e.errno != errno.ELOOP:
            raise
        raise StoreError("the lock is a link to another place", file=str(path), fix="remove it") from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _plain_bytes(path: Path) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as e:
        if e.errno != errno.ELOOP:
            raise
        raise StoreError("the alias file is a link to another place", file=str(path), fix=_AGAIN) from None
    with os.fdopen(fd, "rb") as file:
        return file.read(_LARGEST)
