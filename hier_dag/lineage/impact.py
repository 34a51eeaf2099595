"""Everything that was made of one raw file, on all platforms that share the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hier_dag.lineage.raw_content import Content, contents_of
from hier_dag.lineage.trace import ANCHOR, Traced, traced
from hier_dag.lineage.versions import Version, nodes_and_versions
from hier_dag.registry import Registry
from hier_dag.registry.tables import InputRecord
from hier_dag.registry.walk import reached
from hier_dag.store import ArtifactStore


@dataclass(frozen=True)
class Impact:
    """What a raw file reached.

    Attributes:
        contents: the bytes that the question was about, one record for each location, oldest first.
        artifacts: everything that was made of them, in the order in which it was made.
        space_only: digests of sets that hold nothing of the file, but go on with the space that a
            set of it began.
        versions: versions of aliases that name one of the artifacts, but for those of `space_only`.
    """

    contents: list[Content]
    artifacts: list[Traced]
    space_only: frozenset[str]
    versions: list[Version]

    @property
    def live(self) -> list[Version]:
        """Versions that are in force now."""
        return [v for v in self.versions if v.in_force]

    def as_json(self) -> dict[str, Any]:
        """As a JSON-serialisable record."""
        return {
            "contents": [c.as_json() for c in self.contents],
            "artifacts": [
                {**a.as_json(), "space_only": a.node.digest in self.space_only} for a in self.artifacts
            ],
            "versions": [v.as_json() for v in self.versions],
        }


def impact(registry: Registry, stores: Mapping[str, ArtifactStore], file: str) -> Impact:
    """Follows a raw file to everything that was made of it.

    Args:
        registry: where its readers are on record.
        stores: by platform, to see what is still there.
        file: a location or the end of one, a path, a SHA-256 or its beginning.

    Raises:
        UsageError: no artifact on record read such a file, or several are called so.
    """

    def question(s: Session) -> Impact:
        contents = contents_of(s, file)
        # One location with all of its contents, or one content with all of its locations: each pair is meant.
        readers = (
            select(InputRecord.artifact)
            .where(InputRecord.location.in_({c.location for c in contents}))
            .where(InputRecord.sha256.in_({c.sha256 for c in contents}))
            .distinct()
        )
        nodes, every = nodes_and_versions(s, reached(readers))
        made = reached(readers, but_roles=(ANCHOR,))
        holding = set(s.connection().execute(select(made.c.digest)).scalars())
        versions = [v for v in every if v.digest in holding]
        return Impact(contents, traced(nodes, versions, stores), frozenset(nodes) - holding, versions)

    return registry.read(question)
