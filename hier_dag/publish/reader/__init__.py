"""Reads published sets and recommends from them alone; needs numpy, pyarrow and FAISS, and nothing else.

from hier_dag.publish.reader import open_set

live = open_set("s3://bucket/platform", "cafe", dim=64, space="0123456789abcdef")
live.recommend("u0000029", k=10)
live = live.refresh()
"""

from hier_dag.publish.reader.opening import open_set
from hier_dag.publish.reader.published_set import PublishedSet, Recommendation
from hier_dag.publish.reader.records import VersionRecord
from hier_dag.publish.reader.spaces import require_same_space, same_space

__all__ = [
    "PublishedSet",
    "Recommendation",
    "VersionRecord",
    "open_set",
    "require_same_space",
    "same_space",
]
