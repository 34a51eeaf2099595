"""Zip archives that depend on their content alone: equal files give equal bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that zip knows
_PLAIN_FILE = 0o100644 << 16
_UNIX = 3


def archive(files: Mapping[str, bytes]) -> bytes:
    """A zip archive of files, by name, without times or owners.

    Args:
        files: by name, with forward slashes.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            # The writer's system would be told otherwise.
            entry.create_system, entry.external_attr = _UNIX, _PLAIN_FILE
            zipped.writestr(entry, files[name])
    return out.getvalue()
