"""Version records: one small immutable file a version, of which the highest number is in force.

A record carries the SHA-256 of its other fields, since no manifest vouches for it: a damaged one is refused.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from hier_dag.digest import canonical_json, digest_of
from hier_dag.errors import StoreError, UsageError
from hier_dag.names import is_digest, is_name
from hier_dag.publish.reader.layout import RECORD_FORMAT, RECORDS, records_folder
from hier_dag.publish.reader.names import checked_name, is_space
from hier_dag.publish.reader.places import Place
from hier_dag.publish.reader.reading import json_object

LARGEST = 1 << 16
"""Bytes of the largest record that is read; a usual one has some hundred."""
ACTIONS = ("publish", "rollback")
CHANGES = ("first", "same", "aligned", "breaking")
_FIX = "publish again, or take the record back from a mirror"
_FILE = re.compile(r"([0-9]{12})\.json")


@dataclass(frozen=True)
class VersionRecord:
    """One version of an alias: which set it points to, and why.

    Attributes:
        domain: target domain.
        alias: name of the alias, `live` by default.
        version: counts the moves of the alias from 1.
        digest: digest of the set.
        action: publish or rollback.
        change: how the space relates to the version before: first, same, aligned or breaking.
        space: id of the vector space, 16 hex digits; None for a set that does not tell it (format 1).
        who: who moved the alias.
        why: the reason given.
        created: ISO 8601, UTC.
        facts: what was measured when it was published, such as latencies.
    """

    domain: str
    alias: str
    version: int
    digest: str
    action: str
    change: str
    space: str | None
    who: str
    why: str
    created: str
    facts: dict[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The record's canonical bytes.

        Raises:
            StoreError: when a reader would refuse them: a field is no such thing, or there are too many.
        """
        content = {"format": RECORD_FORMAT, **asdict(self)}
        data = canonical_json({**content, "sha256": digest_of(content)})
        self.from_bytes(data, f"{records_folder(self.domain, self.alias)}/{self.version}")
        return data

    @classmethod
    def from_bytes(cls, data: bytes, file: str) -> VersionRecord:
        """Parses and checks a record.

        Args:
            data: its bytes; more than `LARGEST` are refused.
            file: where they come from, for messages.

        Raises:
            StoreError: when it is damaged, too large, of another format, or not a record.
        """
        if len(data) > LARGEST:
            raise StoreError(f"the version record is over {LARGEST:,} bytes", file=file, fix=_FIX)
        content = json_object(data, file)
        number = content.pop("format", None)
        if number != RECORD_FORMAT:
            raise StoreError(
                f"the version record has format {number!r}; this reader knows {RECORD_FORMAT}",
                file=file,
                fix="read it with the hier_dag that wrote it, or a newer one",
            )
        told = content.pop("sha256", None)
        sound = {"format": RECORD_FORMAT, **content}
        if told != digest_of(sound) or data != canonical_json({**sound, "sha256": told}):
            raise StoreError(
                "the version record is damaged: it does not match its digest", file=file, fix=_FIX
            )
        wrong = _wrong(content)
        if wrong is not None:
            raise StoreError(f"this is no version record: {wrong}", file=file, fix=_FIX)
        return cls(**content)


def record_path(domain: str, alias: str, version: int) -> str:
    """Where a version's record lies below a root; file names sort as versions do."""
    return f"{records_folder(domain, alias)}/{version:012d}.json"


def _wrong(content: dict[str, Any]) -> str | None:
    """The first field that is no such thing; None where all are."""
    if set(content) != {f.name for f in fields(VersionRecord)}:
        return f"its fields are {', '.join(sorted(content))}"
    version, space = content["version"], content["space"]
    sound = {
        "domain": is_name(content["domain"]),
        "alias": is_name(content["alias"]),
        "version": type(version) is int and 0 < version < 10**12,
        "digest": is_digest(content["digest"]),
        "action": content["action"] in ACTIONS,
        "change": content["change"] in CHANGES,
        "space": space is None or is_space(space),
        **{name: isinstance(content[name], str) for name in ("who", "why", "created")},
        "facts": isinstance(content["facts"], dict),
    }
    return next((f"{name} is {content[name]!r}" for name, good in sound.items() if not good), None)


def versions(place: Place, domain: str, alias: str = "live") -> list[int]:
    """Versions of an alias, ascending; empty where nothing was published.

    Args:
        place: the root.
        domain: target domain.
        alias: name of the alias.

    Raises:
        UsageError: when no domain or alias can be called so.
    """
    folder = records_folder(checked_name(domain, "domain"), checked_name(alias, "alias"))
    found = (_FILE.fullmatch(name) for name in place.names(folder))
    return sorted(int(match[1]) for match in found if match)


def read_record(place: Place, domain: str, alias: str, version: int) -> VersionRecord:
    """Reads one version of an alias.

    Raises:
        UsageError: when there is no such version.
        StoreError: when its record is damaged, too large, of another format, a link, or another version's.
    """
    name = record_path(checked_name(domain, "domain"), checked_name(alias, "alias"), version)
    file = place.told(name)
    try:
        record = VersionRecord.from_bytes(place.read(name, LARGEST + 1), file)
    except FileNotFoundError:
        known = versions(place, domain, alias)
        raise UsageError(
            f"alias {alias!r} has no version {version}.",
            domain=domain,
            fix=f"choose one of {known[0]} to {known[-1]}" if known else "publish first",
        ) from None
    if (record.domain, record.alias, record.version) != (domain, alias, version):
        raise StoreError(
            f"the record is of version {record.version} of alias {record.alias!r} of {record.domain!r}",
            domain=domain,
            file=file,
            fix=_FIX,
        )
    return record


def newest(place: Place, domain: str, alias: str = "live") -> VersionRecord | None:
    """The version in force; None where nothing was published. Errors as `read_record`."""
    known = versions(place, domain, alias)
    return read_record(place, domain, alias, known[-1]) if known else None


def published_domains(place: Place, alias: str = "live") -> list[str]:
    """Domains that have a version of an alias, in name order; what cannot be read of one hides no other."""
    found = []
    for domain in filter(is_name, sorted(place.names(RECORDS))):
        with suppress(StoreError):  # a link where records belong: opening that domain says so
            if versions(place, domain, alias):
                found.append(domain)
    return found
