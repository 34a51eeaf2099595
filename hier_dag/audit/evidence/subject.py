"""What a bundle or a card is about: one version of a domain's live set, and all it was made of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
from sqlalchemy.orm import Session

from hier_dag.audit.evidence.declared import Declared
from hier_dag.audit.evidence.made_of import Made, made_of, only
from hier_dag.evaluate.figures import Figures, figures
from hier_dag.pipeline.stages import ENCODER, EVENTS, GRAPH, MODEL
from hier_dag.registry import AliasRow, CheckRow, Registry
from hier_dag.registry.aliases import LIVE
from hier_dag.registry.checks import check_row_of, checks_of
from hier_dag.retention.pins import version_of
from hier_dag.store import ArtifactStore


@dataclass(frozen=True)
class Subject:
    """One version.

    Attributes:
        store: of the platform.
        registry: of the platform.
        platform: its name.
        history: every move of the domain's `live`, newest first.
        row: the version.
        declared: what the declaration says of data and people.
    """

    store: ArtifactStore
    registry: Registry
    platform: str
    history: Sequence[AliasRow]
    row: AliasRow
    declared: Declared

    @property
    def domain(self) -> str:
        """The target domain."""
        return self.row.domain

    @property
    def title(self) -> str:
        """What people call the domain."""
        return self.declared.titles.get(self.domain, self.domain)

    @property
    def live_now(self) -> bool:
        """Whether the version is the one in force."""
        return self.row.version == self.history[0].version

    @property
    def before(self) -> AliasRow | None:
        """The version before it; None for the first one."""
        return next((r for r in self.history if r.version < self.row.version), None)

    @cached_property
    def made(self) -> list[Made]:
        """The set and everything that it was made of, nearest first."""
        return made_of(self.store, self.registry, self.row.digest)

    @property
    def published(self) -> Made:
        """The set."""
        return self.made[0]

    @property
    def model(self) -> Made | None:
        """The model behind it."""
        return only(self.made, MODEL)

    @property
    def encoder(self) -> Made | None:
        """The encoder behind it."""
        return only(self.made, ENCODER)

    @property
    def graph(self) -> Made | None:
        """The graph behind it."""
        return only(self.made, GRAPH)

    @property
    def domains(self) -> list[str]:
        """Domains whose events are behind it, and its own."""
        return sorted({self.domain, *(m.row.partition or "" for m in self.made if m.row.kind == EVENTS)})

    @cached_property
    def checks(self) -> list[tuple[Made, CheckRow]]:
        """Every check on record of the set and of what it was made of, nearest artifact first."""

        def question(s: Session) -> list[tuple[Made, CheckRow]]:
            # One transaction for all of them: its own round trips to a server take longer than a query.
            return [
                (one, check_row_of(*found))
                for one in self.made
                for found in s.execute(checks_of(one.row.digest)).tuples()
            ]

        return self.registry.read(question)

    @cached_property
    def set_facts(self) -> dict[str, Any]:
        """What the set says of itself: `set.json`, else what its manifest repeats of it."""
        data = self.published.file("set.json")
        return dict(json.loads(data)) if data is not None else dict(self.published.row.manifest["summary"])

    @cached_property
    def records(self) -> pa.Table | None:
        """Records of the report card; None where nothing was scored, or the model is not in the store."""
        table = None if self.model is None else self.model.table("report.parquet")
        return table if table is not None and table.num_rows else None

    @cached_property
    def figures(self) -> Figures | None:
        """The same, indexed."""
        return None if self.records is None else figures(self.records, self.domain)


def subject_of(
    store: ArtifactStore,
    registry: Registry,
    platform: str,
    domain: str,
    version: int | None = None,
    declared: Declared | None = None,
) -> Subject:
    """A version of a domain's live set.

    Args:
        store: of the platform.
        registry: of the platform.
        platform: its name.
        domain: the target domain.
        version: its number; None for the one in force.
        declared: what the declaration says of data and people.

    Raises:
        UsageError: when there is no such domain or version.
    """
    row = version_of(registry, domain, version, ())
    history = registry.alias_history(domain, LIVE)
    return Subject(store, registry, platform, history, row, declared or Declared())
