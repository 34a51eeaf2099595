"""What a sink is: it makes one version of an alias queryable somewhere, and may be asked again at any time.

Publication is the registry's row and the version record; a sink comes after both. So a delivery that was
killed, failed or came late loses nothing: the next one of the same or a later version makes it good.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

import pyarrow as pa

from hier_dag.errors import SinkError
from hier_dag.names import is_digest, is_name
from hier_dag.publish.sinks.set_files import SetFiles

Outcome = Literal["delivered", "there", "superseded"]


class Versioned(Protocol):
    """What a sink needs of a version record."""

    @property
    def domain(self) -> str:
        """The target domain."""

    @property
    def alias(self) -> str:
        """The alias that moved, such as `live`."""

    @property
    def version(self) -> int:
        """Counts the moves of the alias from 1."""

    @property
    def digest(self) -> str:
        """Digest of the set that the alias names since."""


@dataclass(frozen=True)
class Delivery:
    """What became of a delivery.

    Attributes:
        sink: type of the sink, such as pgvector.
        place: the database, without password.
        outcome: `delivered` now, `there` already, or `superseded`: a later version is in force, and stays.
        version: the version in force in the sink afterwards.
        digest: its digest.
        users: name of what holds the users' vectors.
        items: name of what holds the items' vectors.
        rows: users and items loaded, 0 where nothing was.
        index: kind of the items' index; None without one.
        why_no_index: in words, where there is none.
        recall: recall@10 of the index in 0..1, where there is one, with the database's own search options.
        seconds: that it took.
    """

    sink: str
    place: str
    outcome: Outcome
    version: int
    digest: str
    users: str
    items: str
    rows: int = 0
    index: str | None = None
    why_no_index: str | None = None
    recall: float | None = None
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return asdict(self)


@dataclass(frozen=True)
class UsersTable:
    """A table of a sink that holds users' vectors, of any version.

    Attributes:
        name: of it, there.
        users: ids in it and in those earlier states of it that can still be read, string; None where it
            cannot be read.
    """

    name: str
    users: pa.ChunkedArray | None


class Sink(Protocol):
    """A place where published sets can be queried."""

    def deliver(self, files: SetFiles, record: Versioned) -> Delivery:
        """Makes a set the one in force for the record's domain and alias, unless a later version is there.

        Idempotent: whatever a delivery that was killed has left, the next one succeeds, and readers see the
        old set whole or the new one whole.

        Args:
            files: the set; its files have been checked against their digests.
            record: domain, alias, version and digest.

        Raises:
            SinkError: when it cannot be; what was in force is whole and stays.
            StoreError: when a file of the set is not what its name says.
        """

    def current(self, domain: str, alias: str) -> tuple[int, str] | None:
        """Version and digest in force, None before the first delivery.

        Raises:
            SinkError: when the database cannot be read.
        """

    def users_tables(self) -> Iterator[UsersTable]:
        """Every table of users that lies in the place, in name order: of all domains, aliases and versions.

        Raises:
            SinkError: when the database cannot be read.
        """

    def clear(self, table: str) -> None:
        """Removes what no consumer is shown of a table of users: all of it where its version is not in force.

        Args:
            table: name, as `users_tables` gives it. Its items go with it.

        Raises:
            SinkError: when the database refuses.
        """


def check_record(files: SetFiles, record: Versioned) -> None:
    """Names become parts of statements and paths, so they are looked at first.

    Raises:
        SinkError: when the record is none, or is of another set.
    """
    check_names(record.domain, record.alias)
    if type(record.version) is not int or not 1 <= record.version < 10**12 or not is_digest(record.digest):
        raise SinkError(
            f"no version record has version {record.version!r} and digest {record.digest!r}",
            domain=record.domain,
            fix="deliver a version that the registry lists",
        )
    if record.digest != files.digest:
        raise SinkError(
            f"version {record.version} is of set {record.digest[:12]}, not of {files.digest[:12]}",
            domain=record.domain,
            file=str(files.folder),
            fix="open the set that the record names",
        )


def check_names(domain: str, alias: str) -> None:
    """Refuses what can be neither a domain nor an alias.

    Raises:
        SinkError: naming the first of them.
    """
    for name in (domain, alias):
        if not is_name(name):
            raise SinkError(
                f"no domain or alias can be called {name!r}",
                fix="names are lower-case letters, digits and underscores",
            )


def check_same(record: Versioned, there: tuple[int, str], place: str) -> None:
    """One version is one set: a sink that says otherwise was filled by another registry.

    Args:
        record: what is delivered.
        there: version and digest in force in the sink.
        place: named in the error.

    Raises:
        SinkError: when the version is the same and the digest is not.
    """
    version, digest = there
    if version == record.version and digest != record.digest:
        raise SinkError(
            f"version {version} of {record.alias!r} is set {digest[:12]} there, {record.digest[:12]} here: "
            "two platforms share this place, or the registry was restored from a backup",
            domain=record.domain,
            file=place,
            fix="give each platform a place of its own; after a restored registry, remove the row of this "
            "domain and alias from the table of sets",
        )
