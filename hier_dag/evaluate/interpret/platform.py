"""The decision paths of one platform's encoder, read: names, strengths by domain, and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from hier_dag.errors import UsageError
from hier_dag.evaluate.interpret.read import Words, read_paths
from hier_dag.evaluate.interpret.reading import Reading
from hier_dag.evaluate.interpret.strength import domain_strength, users_by_domain
from hier_dag.graph.csr import FloatArray
from hier_dag.graph.files import ITEMS
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.model.encoding import Encoding
from hier_dag.model.interactions import InteractionEncoding
from hier_dag.model.source_view import SourceView, source_view


@dataclass(frozen=True)
class PlatformPaths:
    """What a platform's decision paths say.

    Attributes:
        encoding: the numbers.
        reading: the words.
        words: names of entities and items.
        view: what pre-training saw.
        domains: sources, then targets.
        sources: how many of them are sources.
        strength: float32 [P, domains], mean a_up over each domain's users with source history.
    """

    encoding: InteractionEncoding
    reading: Reading
    words: Words
    view: SourceView
    domains: tuple[str, ...]
    sources: int
    strength: FloatArray

    def as_dict(self) -> dict[str, Any]:
        """As JSON: families and intents by falling strength, exemplars by number."""
        intents = [
            {
                **asdict(intent),
                "domains": {
                    domain: round(float(value), 6)
                    for domain, value in zip(self.domains, self.strength[intent.number], strict=True)
                },
            }
            for intent in self.reading.strongest(len(self.reading.intents))
        ]
        families = sorted(self.reading.families, key=lambda family: (-family.strength, family.number))
        return {
            "domains": list(self.domains),
            "families": [asdict(family) for family in families],
            "intents": intents,
            "exemplars": [asdict(exemplar) for exemplar in self.reading.exemplars],
        }


def platform_paths(graph: KnowledgeGraph, folder: Path, encoding: Encoding) -> PlatformPaths:
    """Reads an encoder's decision paths.

    Args:
        graph: the knowledge graph that it was trained on.
        folder: that graph's artifact, for the items' names.
        encoding: the encoder's.

    Raises:
        UsageError: its formulation has no decision paths over interactions.
    """
    if encoding.interactions is None:
        raise UsageError(
            "this encoder's formulation encodes no interaction graph, so there are no such paths to read.",
            fix="set stages.pretrain.model: dual, and run: hier run",
        )
    view, domains = source_view(graph), (*graph.sources, *graph.targets)
    items = pq.read_table(folder / ITEMS, columns=["name"])["name"].to_numpy(zero_copy_only=False)
    words = Words(graph.entity_names, items)
    return PlatformPaths(
        encoding=encoding.interactions,
        reading=read_paths(encoding.interactions, view.history, view.entity_links(), words),
        words=words,
        view=view,
        domains=domains,
        sources=len(graph.sources),
        strength=domain_strength(encoding.interactions.intents, users_by_domain(graph, domains)),
    )
