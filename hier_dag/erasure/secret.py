"""The platform's secret, which turns ids into tokens that nobody else can make.

It lies beside the registry and never in it: whoever has a copy of the registry, a receipt or a backup of
artifacts alone cannot try ids out. A token is SHA-256 of secret and id: the secret has a fixed length and
comes first, so that no two pairs of secret and id give the same text, and every engine has the function.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from hier_dag.durable import sync_folder
from hier_dag.errors import ConfigError

FILE = "erasure.key"
_DIGITS = 64  # hex digits: 256 bits


@dataclass(frozen=True)
class Secret:
    """A platform's secret.

    Attributes:
        text: 64 hex digits. It is not shown where the object is.
    """

    text: str

    def __repr__(self) -> str:
        return "Secret()"

    @property
    def fingerprint(self) -> str:
        """Names the secret without telling it, in hex."""
        return self.keyed("fingerprint", "")

    def token(self, user_id: str) -> str:
        """What an id is recognised by, in hex: SHA-256 of secret and id."""
        return hashlib.sha256((self.text + user_id).encode()).hexdigest()

    def keyed(self, about: str, text: str) -> str:
        """HMAC-SHA-256 of a text, under a key that is only for what it is about, in hex."""
        key = hmac.digest(self.text.encode(), about.encode(), "sha256")
        return hmac.new(key, text.encode(), "sha256").hexdigest()


def read_secret(home: Path) -> Secret | None:
    """The secret of a platform; None where it has none yet.

    Args:
        home: folder of the platform's state.

    Raises:
        ConfigError: the file holds none, or others may read it.
    """
    path = home / FILE
    try:
        mode = path.lstat().st_mode
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"the secret cannot be read: {e}", file=str(path), fix="restore it") from None
    if mode & 0o077:
        raise ConfigError(
            f"the secret is open to others (mode {mode & 0o777:o}): with it, ids can be tried out.",
            file=str(path),
            fix=f"chmod 600 {path}",
        )
    if len(text) != _DIGITS or set(text) - set("0123456789abcdef"):
        raise ConfigError("this is no secret of ours.", file=str(path), fix="restore it from a backup")
    return Secret(text)


def make_secret(home: Path) -> Secret:
    """The secret of a platform, drawn at random where it has none yet; of two at once, both get one."""
    there = read_secret(home)
    if there is not None:
        return there
    path, made = home / FILE, Secret(secrets.token_hex(_DIGITS // 2))
    staged = path.with_name(f".{FILE}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    fd = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(made.text + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(staged, path)  # unlike a rename, it leaves a secret that is there by now
    except FileExistsError:
        return make_secret(home)
    finally:
        staged.unlink(missing_ok=True)
    sync_folder(home)
    return made
