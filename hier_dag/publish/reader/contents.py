"""What a set's files hold: the catalogue from the start, users and what they have seen when asked for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pyarrow as pa

from hier_dag.errors import StoreError
from hier_dag.publish.reader.facts import Facts, facts_of
from hier_dag.publish.reader.items import Items
from hier_dag.publish.reader.layout import INDEX, ITEMS, SEEN, SET, USERS
from hier_dag.publish.reader.reading import RERUN
from hier_dag.publish.reader.row_groups import RowGroups
from hier_dag.publish.reader.search import Search
from hier_dag.publish.reader.seen import Seen
from hier_dag.publish.reader.set_files import SetFiles
from hier_dag.publish.reader.users import Users

if TYPE_CHECKING:
    from hier_dag.publish.reader.index import Index

KEPT = 1 << 28
"""Bytes of decoded row groups that a set keeps, of users and of items each."""


class Contents:
    """The opened files of a set.

    Args:
        files: the files.
        domain: the domain whose set was asked for.

    Attributes:
        facts: what set.json says.
        items: the catalogue.
        search: through the index where the set has one.

    Raises:
        StoreError: when a file is damaged, or is not what set.json says.
    """

    def __init__(self, files: SetFiles, domain: str) -> None:
        # pyarrow looks for pandas when it makes its first array; where that is installed it takes half a
        # second, which is better spent now than on the first answer.
        pa.array([], pa.string())
        self.files = files
        told = files.manifest.get("partition")
        if told not in (None, domain):
            raise StoreError(f"the set is of domain {told!r}", domain=domain, file=files.told(SET))
        self.facts: Facts = facts_of(files.buffer(SET).to_pybytes(), files.told(SET), domain)
        indexed = self.facts.index is not None
        buffers = files.buffers([ITEMS, INDEX] if indexed else [ITEMS])
        self.items = Items(buffers[0], files.told(ITEMS), KEPT)
        self._expect(ITEMS, "items", self.items.rows, self.facts.items)
        self._expect(ITEMS, "dimensions", self.items.dim, self.facts.dim)
        self.search = Search(self.items, self._index(buffers[1]) if indexed else None)
        self._users: Users | None = None
        self._seen: Seen | None = None
        self._lock = threading.Lock()

    @property
    def users(self) -> Users:
        """The users; their file is checked now, if it was not before.

        Raises:
            StoreError: when it is damaged, or not what set.json says.
        """
        with self._lock:
            if self._users is None:
                users = Users(self.files.buffer(USERS), self.files.told(USERS), KEPT)
                self._expect(USERS, "users", users.rows, self.facts.users)
                self._expect(USERS, "dimensions", users.dim, self.items.dim)
                self._users = users
            return self._users

    @property
    def seen(self) -> Seen:
        """What users have acted on; errors as `users`."""
        with self._lock:
            if self._seen is None:
                self._seen = Seen(self.files.buffer(SEEN), self.files.told(SEEN), KEPT)
            return self._seen

    def row_groups(self, name: str, columns: list[str] | None) -> RowGroups:
        """A file of the set by row groups, of which none is kept.

        Args:
            name: name of the file.
            columns: the columns to read; None for all.
        """
        buffer, file = self.files.buffer(name), self.files.told(name)
        every = RowGroups(buffer, file, [], 0).schema.names
        return RowGroups(buffer, file, every if columns is None else columns, 0)

    def _index(self, buffer: pa.Buffer) -> Index:
        # FAISS is loaded for sets that have an index alone.
        from hier_dag.publish.reader.index import Index

        return Index(buffer, self.files.told(INDEX), self.items.rows, self.items.dim)

    def _expect(self, name: str, what: str, found: int, told: int | None) -> None:
        if told is not None and found != told:
            raise StoreError(
                f"the file has {found:,} {what}, not the {told:,} of set.json",
                file=self.files.told(name),
                fix=RERUN,
            )
