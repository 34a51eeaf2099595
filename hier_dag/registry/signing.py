"""Signatures: with a key, whoever can write to the database still cannot make up events.

Ed25519 through the library `cryptography` (extra `sign`). A key is a PEM file, as OpenSSL makes it:
`openssl genpkey -algorithm ed25519 -out key.pem`; `openssl pkey -in key.pem -pubout -out key.pub`.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hier_dag.errors import ConfigError

VARIABLE = "HIER_SIGNING_KEY"


@dataclass(frozen=True)
class Signer:
    """Signs hashes of events.

    Attributes:
        key_id: first 16 hex digits of the SHA-256 of the raw public key.
        key: the private key.
    """

    key_id: str
    key: Any

    def sign(self, event_hash: str) -> str:
        """Signature of a hash (its ASCII), in hex."""
        return bytes(self.key.sign(event_hash.encode("ascii"))).hex()


def signer() -> Signer | None:
    """The signer of this process: HIER_SIGNING_KEY names a PEM file; None where it is unset.

    Raises:
        ConfigError: when there is no such key, or the library is not installed.
    """
    file = os.environ.get(VARIABLE)
    return _signer(file) if file else None


def public_key(file: Path) -> tuple[str, Any]:
    """Id and key of a public PEM file (or of a private one, of which the public half is taken).

    Raises:
        ConfigError: when it holds no Ed25519 key.
    """
    serialization, ed25519 = _library()
    data = _bytes(file)
    try:
        if b"PRIVATE" in data:
            key = serialization.load_pem_private_key(data, password=None).public_key()
        else:
            key = serialization.load_pem_public_key(data)
    except (ValueError, TypeError) as e:
        raise _no_key(file, str(e)) from None
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise _no_key(file, "it is of another algorithm")
    return _id_of(key), key


def holds(key: Any, event_hash: str, signature: str) -> bool:
    """Whether a signature is the key's, of a hash."""
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(bytes.fromhex(signature), event_hash.encode("ascii"))
    except (InvalidSignature, ValueError):
        return False
    return True


@cache
def _signer(file: str) -> Signer:
    serialization, ed25519 = _library()
    try:
        key = serialization.load_pem_private_key(_bytes(Path(file)), password=None)
    except (ValueError, TypeError) as e:
        raise _no_key(Path(file), str(e)) from None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise _no_key(Path(file), "it is of another algorithm")
    return Signer(_id_of(key.public_key()), key)


def _id_of(key: Any) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as e:
        raise _no_key(file, e.strerror or str(e)) from None


def _no_key(file: Path, why: str) -> ConfigError:
    return ConfigError(
        f"no Ed25519 key can be read: {why}.",
        file=str(file),
        fix=f"set {VARIABLE} to a PEM file: openssl genpkey -algorithm ed25519 -out key.pem",
    )


def _library() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise ConfigError(
            f"{VARIABLE} is set, and the library cryptography is not installed.",
            fix="pip install -e '.[sign]', or unset it",
        ) from None
    return serialization, ed25519
