"""Digests: canonical JSON and SHA-256, the only names that artifacts have."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces: equal values have equal bytes.

    Raises:
        ValueError: on NaN or infinity, which JSON does not have.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def digest_of(value: Any) -> str:
    """SHA-256 of the canonical JSON of a value, in hex."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def digest_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def request_key(
    kind: str,
    partition: str | None,
    code_version: str,
    params: Mapping[str, Any],
    parents: Mapping[str, str],
    inputs: list[dict[str, Any]] | None = None,
) -> str:
    """Names a piece of work before it is done: the same request is never computed twice.

    Args:
        kind: artifact kind, such as `raw/events`.
        partition: domain, or None.
        code_version: the stage's code version.
        params: every parameter that decides the result.
        parents: digest of each parent artifact by role.
        inputs: location and sha256 of each raw file read.
    """
    return digest_of(
        {
            "kind": kind,
            "partition": partition,
            "code_version": code_version,
            "params": params,
            "parents": dict(parents),
            "inputs": inputs or [],
        }
    )
