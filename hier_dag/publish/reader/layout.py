"""Names and format numbers of a published set: what readers look for, and where, below one root."""

from __future__ import annotations

USERS, ITEMS, SEEN = "users.parquet", "items.parquet", "seen.parquet"
SET, INDEX, MANIFEST = "set.json", "items.faiss", "manifest.json"

KIND = "publish/embeddings"
SETS = f"store/artifacts/{KIND}"
"""Folder of the sets; each is a folder named by its digest."""
RECORDS = "live"
"""Folder of the version records: `live/<domain>/<alias>/<version as 12 digits>.json`."""

SET_FORMAT = 2
"""Newest format of a set that this reader knows; every earlier one is read too."""
RECORD_FORMAT = 1
MANIFEST_FORMAT = 1

METRIC, NORMALISATION = "inner_product", "none"
INDEX_KINDS = ("flat", "hnsw", "ivf")


def set_folder(digest: str) -> str:
    """Folder of a set, relative to the root."""
    return f"{SETS}/{digest}"


def records_folder(domain: str, alias: str) -> str:
    """Folder of the version records of an alias, relative to the root."""
    return f"{RECORDS}/{domain}/{alias}"
