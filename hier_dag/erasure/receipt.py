"""Receipts of erasures: they say what was done, and prove it, without saying to whom.

An id is committed to by an HMAC under a key that comes of the platform's secret and the receipt's own random
number. So whoever holds the secret can show that a receipt is about an id, and nobody else can try ids out,
however few there are; and receipts about one user have nothing in common.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hier_dag.digest import canonical_json, digest_of
from hier_dag.durable import replace_file
from hier_dag.erasure.erased import RECEIPT, RECEIPTS
from hier_dag.erasure.secret import Secret
from hier_dag.errors import StoreError, UsageError
from hier_dag.registry import Decision, Registry

FORMAT = 1
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Receipt:
    """What an erasure did.

    Attributes:
        id: 32 random hex digits.
        platform: whose users they were.
        at: when, ISO 8601 UTC.
        who: who ran it.
        why: in words.
        users: how many were erased.
        commitments: one for each, sorted.
        artifacts: what held them or learnt of them: digest, kind, partition, grade, holds, learnt.
        versions: aliases that moved: domain, alias, before and after (version and digest each).
        replaced: digest of the set that took each set's place.
        removed: digests that were removed from the store at once.
        told: who could not be told yet, in words.
        redacted: facts of checks that showed rows of theirs.
        elsewhere: files beside store and registry in which their ids stand, and manifests that name them.
        chain: number and hash of the newest event in the registry before this receipt's own.
    """

    id: str
    platform: str
    at: str
    who: str
    why: str
    users: int
    commitments: list[str]
    artifacts: list[dict[str, Any]]
    versions: list[dict[str, Any]]
    replaced: dict[str, str]
    removed: list[str]
    told: list[str]
    redacted: int
    elsewhere: list[str]
    chain: dict[str, Any]

    @property
    def digest(self) -> str:
        """SHA-256 of everything that it says."""
        return digest_of({"format": FORMAT, **asdict(self)})

    def to_bytes(self) -> bytes:
        """Its canonical bytes, with its digest."""
        return canonical_json({"format": FORMAT, **asdict(self), "sha256": self.digest})


def commitments(secret: Secret, receipt: str, ids: Iterable[str]) -> list[str]:
    """What a receipt holds in place of ids, sorted so that their order tells nothing."""
    return sorted(secret.keyed(f"receipt {receipt}", user) for user in ids)


def write_receipt(receipt: Receipt, path: Path) -> None:
    """Writes a receipt whole."""
    replace_file(path, receipt.to_bytes())


def receipt_file(home: Path, receipt: str) -> Path:
    """Where a platform keeps a receipt."""
    return home / RECEIPTS / f"{receipt}.json"


def find_receipt(home: Path, name: str) -> Receipt:
    """A receipt by its file, its id, or how its id begins.

    Raises:
        UsageError: there is none, or several begin so.
        StoreError: it was altered, or is none.
    """
    if Path(name).is_file():
        return read_receipt(Path(name))
    if not re.fullmatch(r"[0-9a-f]{4,32}", name):
        raise UsageError(
            f"{name!r} is neither a file nor a receipt's id.", fix="hier forget --status lists them"
        )
    found = sorted((home / RECEIPTS).glob(f"{name}*.json"))
    if not found:
        raise UsageError(
            f"no receipt begins with {name}: that erasure ended early, and wrote none, or it lies elsewhere.",
            fix="hier forget --status tells; forget the same users again, or give the receipt's file",
        )
    if len(found) != 1:
        raise UsageError(f"{len(found)} receipts begin with {name}.", fix="hier forget --status lists them")
    return read_receipt(found[0])


def read_receipt(path: Path) -> Receipt:
    """Reads a receipt, and checks it against its own digest.

    Raises:
        StoreError: it was altered, or is none.
    """
    fix = "take it from the platform's folder `receipts`, or from a backup"
    try:
        said = json.loads(path.read_bytes())
        digest, number = said.pop("sha256"), said.pop("format")
        receipt = Receipt(**said)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as e:
        raise StoreError(f"this is no receipt: {e}", file=str(path), fix=fix) from None
    if number != FORMAT or receipt.digest != digest or _ID.fullmatch(receipt.id) is None:
        raise StoreError("the receipt was altered: it does not match its digest", file=str(path), fix=fix)
    return receipt


def on_record(registry: Registry, receipt: str) -> Decision | None:
    """The registry's word on a receipt; None where it has none."""
    return next((d for d in registry.decisions(kinds=(RECEIPT,)) if d.subject == receipt), None)
