"""Opens published sets by domain and alias."""

from __future__ import annotations

from pathlib import Path

from pyarrow import fs

from hier_dag.errors import UsageError
from hier_dag.publish.reader.older import older_domains, older_record
from hier_dag.publish.reader.places import Place, place_of
from hier_dag.publish.reader.published_set import PublishedSet
from hier_dag.publish.reader.records import VersionRecord, newest, published_domains, read_record
from hier_dag.publish.reader.set_files import SetFiles
from hier_dag.publish.reader.spaces import check_space


def open_set(
    root: str | Path,
    domain: str,
    alias: str = "live",
    *,
    version: int | None = None,
    filesystem: fs.FileSystem | None = None,
    dim: int | None = None,
    space: str | None = None,
    cache: str | Path | None = None,
) -> PublishedSet:
    """Opens the set that an alias of a domain points to.

    What is opened never changes: whoever holds it goes on reading that version while others are published.

    Args:
        root: a platform's home folder, a mirror of it, or a URL such as `s3://bucket/prefix`.
        domain: target domain.
        alias: name of the alias.
        version: opens this version of the alias instead of the one in force.
        filesystem: a pyarrow file system to read `root` in; it may wrap one of fsspec
            (`PyFileSystem(FSSpecHandler(...))`).
        dim: length of the vectors that the caller's own models were built for; None takes any.
        space: id of the space that they were built for; None takes any.
        cache: folder for copies of files that are not on this machine; None takes the user's cache folder.

    Raises:
        UsageError: when nothing is published for the domain, or there is no such version.
        SpaceError: when the set has another dimension or space than asked for.
        StoreError: when a record or a byte of the set is damaged, or of a format, metric or normalisation
            that this reader does not know.
    """
    place = place_of(root, filesystem, cache)
    record = _record(place, domain, alias) if version is None else read_record(place, domain, alias, version)

    def opened(record: VersionRecord) -> PublishedSet:
        def newer() -> PublishedSet | None:
            now = _record(place, domain, alias) if version is None else record
            return None if now == record else opened(now)

        found = PublishedSet(record, SetFiles(place, record.digest), newer)
        check_space(found, dim=dim, space=space)
        return found

    return opened(record)


def _record(place: Place, domain: str, alias: str) -> VersionRecord:
    record = newest(place, domain, alias) or older_record(place, domain, alias)
    if record is not None:
        return record
    published = sorted({*published_domains(place, alias), *older_domains(place, alias)})
    raise UsageError(
        f"nothing is published for {domain!r}{'' if alias == 'live' else f' as {alias!r}'}; "
        f"published: {', '.join(published) or 'nothing yet'}.",
        fix="choose a published domain, or run: hier run",
    )
