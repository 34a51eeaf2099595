"""The tables that describe decision paths over the users × items graph: paths, exemplars, intents."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from hier_dag.evaluate.interpret.read import Words, read_paths
from hier_dag.evaluate.interpret.reading import Reading
from hier_dag.evaluate.interpret.strength import domain_strength, users_by_domain
from hier_dag.graph.csr import FloatArray
from hier_dag.graph.knowledge_graph import KnowledgeGraph
from hier_dag.model.interactions import InteractionEncoding
from hier_dag.model.source_view import SourceView

PATHS, EXEMPLARS, INTENTS = (
    "interaction_paths.parquet",
    "interaction_exemplars.parquet",
    "interaction_intents.parquet",
)


def interaction_tables(
    encoding: InteractionEncoding, view: SourceView, graph: KnowledgeGraph
) -> dict[str, pa.Table]:
    """Every table by file name. Names are of entities, else of items, whose ids stand for them here.

    Args:
        encoding: of the sources' users × items graph.
        view: what it was made from.
        graph: ids and names; no target interaction is read.
    """
    words = Words(graph.entity_names, graph.item_ids)
    reading = read_paths(encoding, view.history, view.entity_links(), words)
    strength = domain_strength(encoding.intents, users_by_domain(graph, graph.sources))
    return {
        PATHS: _paths(encoding.paths),
        EXEMPLARS: _exemplars(reading, graph),
        INTENTS: _intents(reading, strength, graph.sources),
    }


def _paths(paths: FloatArray) -> pa.Table:
    """Open paths alone: intent, exemplar, weight (φ_pk)."""
    intent, exemplar = np.nonzero(paths)
    return pa.table(
        {
            "intent": intent.astype(np.int32),
            "exemplar": exemplar.astype(np.int32),
            "weight": paths[intent, exemplar],
        }
    )


def _exemplars(reading: Reading, graph: KnowledgeGraph) -> pa.Table:
    """The n-th entity and the n-th item of each exemplar, null where it has fewer.

    exemplar, name, size (items), rank, entity_id, entity_name, score (log-odds against the platform, in
    standard errors), item_id, visits (source interactions).
    """
    rows = []
    for x in reading.exemplars:
        for n in range(max(len(x.entities), len(x.items), 1)):
            entity = x.entities[n] if n < len(x.entities) else None
            item = x.items[n] if n < len(x.items) else None
            rows.append(
                {
                    "exemplar": x.number,
                    "name": x.name,
                    "size": x.size,
                    "rank": n + 1,
                    "entity_id": None if entity is None else graph.entity_ids[entity.number],
                    "entity_name": None if entity is None else entity.name,
                    "score": None if entity is None else entity.score,
                    "item_id": None if item is None else item.name,
                    "visits": None if item is None else int(item.score),
                }
            )
    return pa.Table.from_pylist(rows, schema=_EXEMPLARS)


_EXEMPLARS = pa.schema(
    [
        ("exemplar", pa.int32()),
        ("name", pa.string()),
        ("size", pa.int64()),
        ("rank", pa.int32()),
        ("entity_id", pa.string()),
        ("entity_name", pa.string()),
        ("score", pa.float64()),
        ("item_id", pa.string()),
        ("visits", pa.int64()),
    ]
)


def _intents(reading: Reading, strength: FloatArray, sources: tuple[str, ...]) -> pa.Table:
    """One row an intent and source: intent, name, family, family_name, domain, strength (mean a_up)."""
    intent, domain = np.indices(strength.shape, dtype=np.int32)
    each = [reading.intents[p] for p in intent.ravel()]
    return pa.table(
        {
            "intent": intent.ravel(),
            "name": pa.array([i.name for i in each], pa.string()),
            "family": pa.array([i.family for i in each], pa.int32()),
            "family_name": pa.array([reading.families[i.family].name for i in each], pa.string()),
            "domain": pa.array([sources[n] for n in domain.ravel()], pa.string()),
            "strength": strength.ravel(),
        }
    )
